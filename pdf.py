# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.


class PdfMixin:
    """A report that is a PDF where its wizard asks for it

    LibreOffice makes it.  Where it is not installed, the document stays.
    """
    __slots__ = ()

    @classmethod
    def _execute(cls, records, header, data, action):
        if data.get('pdf'):
            # Only this time
            action = action.__class__(action.id)
            action.extension = 'pdf'
        return super()._execute(records, header, data, action)
