# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Files that come with a request: which ones are taken, and where they go"""
from flask_wtf.file import MultipleFileField
from wtforms.validators import Optional, ValidationError

from . import access
from .page import lazy_text, text

# By the bytes that a file of the type begins with
TYPES = [
    (b'%PDF-', 'pdf', {'pdf'}),
    (b'\x89PNG\r\n\x1a\n', 'png', {'png'}),
    (b'\xff\xd8\xff', 'jpg', {'jpg', 'jpeg'}),
    ]
FILES = 5
# Of a form with its files: what two photographs of a telephone take
MEGABYTE = 1024 * 1024
MAX_LENGTH = 10 * MEGABYTE
NAME = 100


class Uploads(MultipleFileField):
    "Files of the types that an office can open without a fear"

    def __init__(self, **kwargs):
        super().__init__(
            lazy_text('files'), [Optional(), _check],
            description=lazy_text(
                'files_help', size=MAX_LENGTH // MEGABYTE),
            render_kw={
                'accept': ','.join(
                    f'.{e}' for _, _, names in TYPES for e in sorted(names)),
                }, **kwargs)

    def attach(self, record):
        "Attach the files to the record of the visitor"
        for storage in self.data or []:
            name, content = _read(storage)
            access.attach(record, name, content)


def _check(form, field):
    if len(field.data) > FILES:
        raise ValidationError(text('files_many', number=FILES))
    for storage in field.data:
        if not _read(storage):
            raise ValidationError(text(
                    'files_type', name=_shorten(storage.filename)))


def _read(storage):
    """Return the name and the content of a file, or nothing

    What a file is says what it begins with, and not how it is called; it gets
    the name under which it is opened as that.
    """
    storage.stream.seek(0)
    content = storage.stream.read()
    for begin, extension, names in TYPES:
        if content.startswith(begin):
            stem, dot, given = _shorten(storage.filename).rpartition('.')
            if not dot or given.lower() not in names:
                stem, given = f'{stem}{dot}{given}', extension
            return f'{stem}.{given}', content


def _shorten(name):
    "Return the name without its folders and what can not be read"
    name = name.replace('\\', '/').rpartition('/')[-1]
    return ''.join(c for c in name if c.isprintable())[-NAME:]
