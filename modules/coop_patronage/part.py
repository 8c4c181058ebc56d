# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Cast, Null

from trytond.model import fields
from trytond.modules.coop_membership.document import PartMixin
from trytond.pool import Pool


def number(column):
    "Return the column as a number, which SQLite keeps as text"
    return Cast(column, 'NUMERIC')


def is_part(column, positive=False):
    "Return the expression that the column is a part of a whole, or empty"
    value = number(column)
    least = value > 0 if positive else value >= 0
    return (column == Null) | (least & (value <= 1))


def part_domain(name):
    return [
        ['OR',
            (name, '=', None),
            [
                (name, '>=', 0),
                (name, '<=', 1),
                ],
            ],
        ]


class RelationMixin(PartMixin):
    "A row of the relation of a document or of its part, with its rights"
    __slots__ = ()

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add(cls._document)


class SurplusPartMixin(RelationMixin):
    "A part of an appropriation"
    __slots__ = ()
    _document = 'surplus'

    surplus = fields.Many2One(
        'coop.surplus', "Surplus", required=True, ondelete='CASCADE')
    company = fields.Function(fields.Many2One(
            'company.company', "Company"),
        'on_change_with_company', searcher='search_company')
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'on_change_with_currency')
    state = fields.Function(
        fields.Selection('get_states', "State"), 'on_change_with_state')

    @fields.depends('surplus', '_parent_surplus.company')
    def on_change_with_company(self, name=None):
        return self.surplus.company if self.surplus else None

    @classmethod
    def search_company(cls, name, clause):
        return [('surplus.' + clause[0], *clause[1:])]

    @fields.depends('surplus', '_parent_surplus.currency')
    def on_change_with_currency(self, name=None):
        return self.surplus.currency if self.surplus else None

    @classmethod
    def get_states(cls):
        pool = Pool()
        Surplus = pool.get('coop.surplus')
        return Surplus.fields_get(['state'])['state']['selection']

    @fields.depends('surplus', '_parent_surplus.state')
    def on_change_with_state(self, name=None):
        return self.surplus.state if self.surplus else None
