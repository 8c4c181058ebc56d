#!/usr/bin/env python3
# PYTHON_ARGCOMPLETE_OK
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.coop_import.columns import MEMBER, SHARES
from trytond.modules.coop_import.import_members import ALIKE, UNIQUE
from trytond.modules.coop_import.scripts import importer

COLUMNS = {**MEMBER, **SHARES}

def do_import(filename, **kwargs):
    "Import through the current configuration of proteus"
    return importer.load(
        filename, 'coop.member', COLUMNS, unique=UNIQUE, alike=ALIKE,
        **kwargs)


def run():
    importer.run(
        "Import members with their party, shares and subscriptions.  A row "
        "without number, name and any other value of a member adds to the "
        "shares, subscriptions, representatives and consents of the member "
        "above.", COLUMNS, do_import)


if __name__ == '__main__':
    run()
