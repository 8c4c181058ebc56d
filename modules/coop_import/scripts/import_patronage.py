#!/usr/bin/env python3
# PYTHON_ARGCOMPLETE_OK
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.coop_import.columns import PATRONAGE
from trytond.modules.coop_import.scripts import importer

UNIQUE = [('category', 'external_id')]


def do_import(filename, update=False, **kwargs):
    "Import through the current configuration of proteus"
    return importer.load(
        filename, 'coop.patronage.entry', PATRONAGE, unique=UNIQUE,
        options={'update': update}, **kwargs)


def get_parser(description, columns):
    parser = importer.get_parser(description, columns)
    parser.add_argument('--update', action='store_true',
        help="change the entries that are there with other values, instead "
        "of refusing the row")
    return parser


def run():
    importer.run(
        "Import the activity of members that did not pass through an "
        "invoice.", PATRONAGE, do_import, get_parser)


if __name__ == '__main__':
    run()
