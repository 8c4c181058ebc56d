# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Read how the files of a program are written, so that all go in alike.

A profile is a text file with the sections ``[file]``, ``[columns]`` with a
name for a header, ``[set]`` with a text for a name, and ``[values NAME]``
with what stands in the file and the text that it stands for.
"""
from configparser import ConfigParser, Error

FILE = ['delimiter', 'encoding', 'sheet', 'date_format', 'decimal_mark']
_ESCAPES = {'tab': '\t', 'comma': ',', 'semicolon': ';'}


class ProfileError(Exception):
    pass


def read_profile(text):
    "Return the arguments of a table by the text of a profile"
    parser = ConfigParser(
        delimiters=('=',), comment_prefixes=('#',), interpolation=None,
        strict=True)
    parser.optionxform = str
    try:
        parser.read_string(text)
    except Error as error:
        raise ProfileError(' '.join(str(error).split())) from None
    arguments = {'mapping': {}, 'constants': {}, 'values': {}}
    for section in parser.sections():
        items = dict(parser[section])
        kind, _, name = section.partition(' ')
        if section == 'file':
            unknown = sorted(items.keys() - set(FILE))
            if unknown:
                raise ProfileError("[file] has no %s" % ", ".join(unknown))
            arguments.update(items)
        elif section == 'columns':
            arguments['mapping'] = items
        elif section == 'set':
            arguments['constants'] = items
        elif kind == 'values' and name:
            arguments['values'][name.strip()] = items
        else:
            raise ProfileError("[%s] is not known" % section)
    if 'delimiter' in arguments:
        arguments['delimiter'] = _ESCAPES.get(
            arguments['delimiter'], arguments['delimiter'])
    if arguments.get('decimal_mark', '.') not in {'.', ','}:
        raise ProfileError("the decimal_mark is neither . nor ,")
    return arguments
