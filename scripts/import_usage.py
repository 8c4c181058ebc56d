#!/usr/bin/env python3
# PYTHON_ARGCOMPLETE_OK
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.coop.columns import USAGE
from trytond.modules.coop.scripts import importer

UNIQUE = [('source', 'external_id')]


def do_import(filename, **kwargs):
    "Import through the current configuration of proteus"
    return importer.load(
        filename, 'coop.commons.usage', USAGE, unique=UNIQUE, **kwargs)


def run():
    importer.run(
        "Import the usage of shared resources.  A row with only a quantity "
        "and its unit adds them to the usage above.", USAGE, do_import)


if __name__ == '__main__':
    run()
