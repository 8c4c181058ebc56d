# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Read how the files of a program are written, so that all go in alike.

A profile is a text file with the sections ``[profile]`` with its title,
``[file]``, ``[columns]`` with a name for a header that the file may have,
``[set]`` with a text for a name, ``[values NAME]`` with what stands in the
file and the text that it stands for, ``[empty]`` with the headers of what no
row may have to be imported, and ``[only HEADER]`` with what a row may have.
A header without a name is not imported.
"""
from configparser import ConfigParser, Error
from pathlib import Path

FILE = ['delimiter', 'encoding', 'sheet', 'date_format', 'decimal_mark']
PROFILES = Path(__file__).parent / 'profiles'
_ESCAPES = {'tab': '\t', 'comma': ',', 'semicolon': ';'}


class ProfileError(Exception):
    pass


def list_profiles():
    "Return the titles of the profiles that are shipped by their names"
    return {
        path.stem: _parse(path.read_text(encoding='utf-8'))['profile']['title']
        for path in sorted(PROFILES.glob('*.ini'))}


def load_profile(name):
    """Return the arguments of a table by a profile

    It is one of those that are shipped, or the path of a file.
    """
    path = PROFILES / f'{name}.ini'
    if not path.exists():
        path = Path(name)
    try:
        return read_profile(path.read_text(encoding='utf-8-sig'))
    except UnicodeDecodeError:
        raise ProfileError("it is not in UTF-8") from None


def _parse(text):
    parser = ConfigParser(
        delimiters=('=',), comment_prefixes=('#',), interpolation=None,
        strict=True, allow_no_value=True)
    parser.optionxform = str
    try:
        parser.read_string(text)
    except Error as error:
        raise ProfileError(' '.join(str(error).split())) from None
    return parser


def read_profile(text):
    "Return the arguments of a table by the text of a profile"
    parser = _parse(text)
    arguments = {
        'known': {}, 'constants': {}, 'values': {}, 'empty': [], 'only': {}}
    for section in parser.sections():
        items = dict(parser[section])
        kind, _, name = section.partition(' ')
        lonely = [key for key, value in items.items() if value is None]
        if lonely and section != 'empty' and kind != 'only':
            raise ProfileError("[%s] has %s without =" % (
                    section, ", ".join(lonely)))
        if section == 'profile':
            continue
        elif section == 'file':
            unknown = sorted(items.keys() - set(FILE))
            if unknown:
                raise ProfileError("[file] has no %s" % ", ".join(unknown))
            arguments.update(items)
        elif section == 'columns':
            arguments['known'] = items
        elif section == 'set':
            arguments['constants'] = items
        elif section == 'empty':
            arguments['empty'] = list(items)
        elif kind == 'only' and name:
            arguments['only'][name.strip()] = list(items)
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
