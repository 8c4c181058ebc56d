# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import Check, fields
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.document import NumberedMixin
from trytond.modules.coop_membership.locking import claim
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .quantity import QuantityMixin, number, plain_number


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


def move_field(name, string, **values):
    "Return the field of a move that a document has posted"
    return fields.Many2One(
        'account.move', string, readonly=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': ~Eval(name),
            },
        **values)


class ShareDocumentMixin(QuantityMixin, NumberedMixin):
    "A document about a quantity of shares of a class"
    __slots__ = ()

    quantity = fields.Numeric(
        "Quantity", digits=(None, Eval('quantity_digits', 0)), required=True,
        domain=[
            ('quantity', '>', 0),
            ])
    share_moves = fields.One2Many(
        'coop.share.move', 'origin', "Share Moves", readonly=True)

    @property
    def narration(self):
        return gettext(
            'coop_shares.msg_narration_shares',
            document=super().narration,
            quantity=plain_number(self.quantity),
            share_class=self.share_class.code)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        # The class is one of the company
        cls.company.states['readonly'] = Eval('share_class', False)
        cls._sql_constraints.append((
                'quantity_positive', Check(t, number(t.quantity) > 0),
                'coop_shares.msg_document_quantity_positive'))
