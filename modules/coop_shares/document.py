# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from itertools import groupby

from trytond.i18n import gettext
from trytond.model import fields
from trytond.model.exceptions import AccessError
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.tools import grouped_slice
from trytond.transaction import Transaction


def lock_members(members):
    """Lock the members, and what numbers their rows of the ledger

    A lock that comes after the work makes it start all over.
    """
    members = {m for m in members if m}
    claim(members)
    for company in _get_companies(members):
        lock_sequence(company, 'share_move_sequence')


def _get_companies(members):
    "Return the companies without reading the members, which may be many"
    pool = Pool()
    Company = pool.get('company.company')
    Member = pool.get('coop.member')
    member = Member.__table__()
    cursor = Transaction().connection.cursor()
    companies = set()
    for sub_members in grouped_slice(members, 10 * SLICE):
        cursor.execute(*member.select(
                member.company,
                where=fields.SQL_OPERATORS['in'](
                    member.id, [m.id for m in sub_members]),
                group_by=member.company))
        companies.update(company for company, in cursor)
    return Company.browse(sorted(companies))


def lock_sequence(company, name):
    "Lock the configured sequence before any work that would start over"
    Configuration = Pool().get('coop.share.configuration')
    Configuration(1).get_multivalue(name, company=company.id).lock()


def set_numbers(records, name):
    "Number the records that have none by the configured sequence"
    pool = Pool()
    Configuration = pool.get('coop.share.configuration')
    config = Configuration(1)
    records = sorted(
        (r for r in records if not getattr(r, 'number', None)),
        key=lambda r: r.company.id)
    for company, c_records in groupby(records, key=lambda r: r.company):
        c_records = list(c_records)
        sequence = config.get_multivalue(name, company=company.id)
        for record, number in zip(
                c_records, sequence.get_many(len(c_records))):
            record.number = number


class ShareDocumentMixin:
    "A document of the shares with a number, a company and a state"
    __slots__ = ()
    _rec_name = 'number'
    _initial_state = 'draft'
    _sequence = None
    # What may be changed at any time, and what in each state
    _modify_allowed = frozenset()
    _modify_states = {}
    # What only the document itself sets
    _modify_internal = frozenset({'number', 'state'})

    number = fields.Char("Number", readonly=True)
    company = fields.Many2One('company.company', "Company", required=True)
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')

    @classmethod
    def __setup__(cls):
        cls.number.search_unaccented = False
        super().__setup__()
        cls.company.states['readonly'] = (
            (Eval('state') != cls._initial_state)
            | Eval('share_class', False))

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_state(cls):
        return cls._initial_state

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    def get_rec_name(self, name):
        return self.number or f'({self.id})'

    @classmethod
    def copy(cls, records, default=None):
        default = default.copy() if default is not None else {}
        for name in cls._modify_internal:
            if name != 'state':
                default.setdefault(name)
        return super().copy(records, default=default)

    @classmethod
    def check_modification(cls, mode, records, values=None, external=False):
        super().check_modification(
            mode, records, values=values, external=external)
        if mode == 'delete':
            for record in records:
                if record.state != cls._initial_state:
                    raise AccessError(gettext(
                            'coop_shares.msg_document_delete',
                            document=record.rec_name,
                            **cls.__names__()))
        elif external:
            # A client can not do what the buttons do
            if mode == 'create':
                refused = [
                    r for r in records if r.state != cls._initial_state]
            elif values.keys() & cls._modify_internal:
                refused = records
            else:
                changed = values.keys() - cls._modify_allowed
                refused = [
                    r for r in records
                    if r.state != cls._initial_state
                    and changed - cls._modify_states.get(r.state, set())]
            for record in refused:
                raise AccessError(gettext(
                        'coop_shares.msg_document_modify',
                        document=record.rec_name,
                        **cls.__names__()))

    @classmethod
    def set_number(cls, records):
        set_numbers(records, cls._sequence[1])

    @classmethod
    def by_company(cls, records):
        for company, c_records in groupby(
                sorted(records, key=lambda r: r.company.id),
                key=lambda r: r.company):
            yield company, list(c_records)
