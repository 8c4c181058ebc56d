# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql.operators import Equal

from trytond.model import (
    DeactivableMixin, Exclude, ModelSQL, ModelView, Unique, fields)
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction

from .document import PartMixin, SearchMixin


class Document(SearchMixin, DeactivableMixin, ModelSQL, ModelView):
    __name__ = 'coop.membership.document'
    __string__ = "Membership Document"
    _search_names = 'name', 'version'

    name = fields.Char("Name", required=True,
        help="The name shared by all the versions of the document.")
    version = fields.Char("Version")
    company = fields.Many2One('company.company', "Company", required=True)
    required = fields.Boolean("Required",
        help="Check to admit only applicants that agreed to the document.")
    valid_from = fields.Date("Valid from", required=True,
        help="The day from which this version replaces the earlier ones.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('version_unique',
                Exclude(t,
                    (t.company, Equal), (t.name, Equal),
                    (t.valid_from, Equal)),
                'coop_membership.msg_document_version_unique'),
            ]
        cls._order = [
            ('name', 'ASC'),
            ('valid_from', 'DESC'),
            ('id', 'DESC'),
            ]

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_required(cls):
        return True

    @classmethod
    def default_valid_from(cls):
        return Pool().get('ir.date').today()

    def get_rec_name(self, name):
        return ' '.join(filter(None, [self.name, self.version]))

    @classmethod
    def required_at(cls, documents, date):
        "Return the documents in force at the date that are required"
        in_force = {}
        for document in sorted(documents, key=lambda d: d.valid_from):
            if document.valid_from <= date:
                in_force[document.name] = document
        return [d for d in in_force.values() if d.required]


class Consent(SearchMixin, PartMixin, ModelSQL, ModelView):
    __name__ = 'coop.member.consent'
    __string__ = "Member Consent"
    _document = 'member'
    _search_names = ('document.rec_name', 'member.rec_name')

    member = fields.Many2One(
        'coop.member', "Member", required=True, ondelete='CASCADE')
    document = fields.Many2One(
        'coop.membership.document', "Document", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('_parent_member', {}).get('company', -1)),
            ],
        depends={'member'})
    date = fields.Date("Date", required=True)
    method = fields.Selection([
            ('signature', "Signature"),
            ('electronic', "Electronic"),
            ('oral', "Oral"),
            ], "Method", required=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('member')
        t = cls.__table__()
        cls._sql_constraints += [
            ('document_unique', Unique(t, t.member, t.document),
                'coop_membership.msg_consent_document_unique'),
            ]
        cls._order.insert(0, ('date', 'DESC'))

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    @classmethod
    def default_method(cls):
        return 'signature'

    def get_rec_name(self, name):
        return f'{self.document.rec_name} @ {self.member.rec_name}'
