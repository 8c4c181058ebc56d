# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"Print what is written with the formats of the clients"
import re
from html.parser import HTMLParser

from .figures import Row

_STYLE = '{urn:oasis:names:tc:opendocument:xmlns:text:1.0}style-name'
# The part of the name of the style by the tag of the text
_TAGS = {'b': 'Bold', 'i': 'Italic', 'u': 'Underline'}
_TAG = re.compile(r'</?\w')


class _Parser(HTMLParser):

    def __init__(self):
        super().__init__()
        self.paragraphs = [[]]
        self._open = []

    def handle_starttag(self, tag, attrs):
        if tag in _TAGS:
            self._open.append(tag)
        elif tag in {'br', 'div', 'p', 'li'}:
            self._break()

    def handle_endtag(self, tag):
        if tag in self._open:
            self._open.remove(tag)
        elif tag in {'div', 'p', 'li'}:
            self._break()

    def handle_data(self, data):
        name = ''.join(
            name for tag, name in _TAGS.items() if tag in self._open)
        self.paragraphs[-1].append(Row(
                text=data.replace('\n', ' '), style={_STYLE: f'Text{name}'}))

    def _break(self):
        if self.paragraphs[-1]:
            self.paragraphs.append([])


def read_paragraphs(text):
    "Return the paragraphs of the text as lists of parts with their style"
    text = text or ''
    if not _TAG.search(text):
        # It was written without formats
        text = '<br/>'.join(text.splitlines())
    parser = _Parser()
    parser.feed(text)
    parser.close()
    return [p for p in parser.paragraphs if ''.join(r.text for r in p).strip()]
