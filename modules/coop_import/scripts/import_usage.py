#!/usr/bin/env python3
# PYTHON_ARGCOMPLETE_OK
# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.coop_import.columns import READING, USAGE
from trytond.modules.coop_import.scripts import importer

UNIQUE = [('source', 'external_id')]


def do_import(filename, readings=False, **kwargs):
    "Import through the current configuration of proteus"
    if readings:
        return importer.load(
            filename, 'coop.commons.reading', READING, **kwargs)
    return importer.load(
        filename, 'coop.commons.usage', USAGE, unique=UNIQUE, **kwargs)


def get_parser(description, columns):
    parser = importer.get_parser(description, columns)
    width = max(map(len, columns))
    parser.epilog += "\n\ncolumns of the file with --readings:\n" + '\n'.join(
        "  %s%s  %s" % (
            name.ljust(width), '*' if column.required else ' ', column.help)
        for name, column in READING.items())
    parser.add_argument('--readings', action='store_true',
        help="the file has readings of meters, in the order of their time")
    return parser


def run():
    importer.run(
        "Import the usage of shared resources.  A row with only a quantity "
        "and its unit adds them to the usage above.", USAGE, do_import,
        get_parser)


if __name__ == '__main__':
    run()
