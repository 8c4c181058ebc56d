# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""Sections of the business, whose results are those of analytic accounts"""
from decimal import Decimal

from sql.aggregate import Sum

from trytond import backend
from trytond.i18n import gettext
from trytond.model import fields
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval, If
from trytond.tools import sqlite_apply_types
from trytond.transaction import (
    Transaction, inactive_records, without_check_access)

from .exceptions import AppropriationError

# The tax on income is of the cooperative as a whole
_BEFORE_TAX = ['result_before_tax', 'member_result_before_tax']


def section_field(company):
    return fields.Many2One(
        'analytic_account.account', "Section", ondelete='RESTRICT',
        domain=[
            ('company', '=', company),
            ('type', 'in', ['view', 'normal']),
            ],
        help="The section of the business, like a branch, whose result the "
        "line takes from.\n"
        "Leave empty for what is of no section.")


class PlanLine(metaclass=PoolMeta):
    __name__ = 'coop.surplus.plan.line'

    section = fields.MultiValue(
        section_field(Eval('context', {}).get('company', -1)))

    @classmethod
    def multivalue_model(cls, field):
        pool = Pool()
        if field == 'section':
            return pool.get('coop.surplus.plan.line.account')
        return super().multivalue_model(field)

    def get_surplus_line(self, company):
        line = super().get_surplus_line(company)
        line.section = self.get_multivalue('section', company=company.id)
        return line


class PlanLineAccount(metaclass=PoolMeta):
    __name__ = 'coop.surplus.plan.line.account'

    section = section_field(Eval('company', -1))


class SurplusLine(metaclass=PoolMeta):
    __name__ = 'coop.surplus.line'

    section = section_field(Eval('company', -1))
    section_result = Monetary(
        "Section Result", currency='currency', digits='currency',
        readonly=True,
        states={
            'invisible': ~Eval('section'),
            },
        help="What the section appropriates.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.basis.domain = [
            cls.basis.domain or [],
            If(Eval('section'),
                ('basis', 'not in', _BEFORE_TAX),
                ()),
            ]

    def get_section(self):
        return self.section

    def set_section(self, section):
        super().set_section(section)
        self.section = section

    def set_computed(self, allocated):
        super().set_computed(allocated)
        self.section_result = (
            allocated.sections[self.section.id] if self.section else None)


class Surplus(metaclass=PoolMeta):
    __name__ = 'coop.surplus'

    net_sections = fields.Boolean("Net Sections",
        help="Check to let the other sections bear what a section loses, "
        "pro rata. What is of no section is netted too.")

    @property
    def nets_sections(self):
        return bool(self.net_sections)

    def get_section_name(self, section):
        Account = Pool().get('analytic_account.account')
        return Account(section).name

    def get_sections(self):
        pool = Pool()
        Account = pool.get('analytic_account.account')
        Line = pool.get('analytic_account.line')
        sections = {l.section for l in self.lines} - {None}
        if not sections:
            return super().get_sections()
        if len({s.root for s in sections}) > 1:
            raise AppropriationError(gettext(
                    'coop_patronage.msg_section_roots',
                    surplus=self.rec_name))
        by_account = {}
        for section in sorted(sections, key=int):
            # The lines of who may not see them count too
            with without_check_access(), inactive_records():
                accounts = Account.search([
                        ('parent', 'child_of', [section.id]),
                        ])
            for account in accounts:
                other = by_account.setdefault(account.id, section)
                if other != section:
                    raise AppropriationError(gettext(
                            'coop_patronage.msg_section_overlap',
                            surplus=self.rec_name,
                            section=section.rec_name,
                            other=other.rec_name))
        analytic = Line.__table__()
        cursor = Transaction().connection.cursor()
        table, line, where = self._get_income()
        query = (table
            .join(analytic, condition=analytic.move_line == line.id)
            .select(
                analytic.account.as_('account'),
                Sum(analytic.credit - analytic.debit).as_('result'),
                where=where & fields.SQL_OPERATORS['in'](
                    analytic.account, list(by_account)),
                group_by=analytic.account))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, 'NUMERIC'])
        cursor.execute(*query)
        results = {s.id: Decimal(0) for s in sections}
        for account, result in cursor:
            results[by_account[account].id] += result
        return {s: self.currency.round(r) for s, r in results.items()}
