# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql.aggregate import Sum
from sql.conditionals import Coalesce

from trytond import backend
from trytond.i18n import gettext
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.agreement import (
    BooksMixin, Difference, check_books)
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval
from trytond.tools import sqlite_apply_types
from trytond.transaction import Transaction
from trytond.wizard import Button, StateView, Wizard

# The states of a document in which something is still to be posted, and the
# field of the day from which on it should be
PENDING = [
    ('coop.share.redemption', ['approved'], 'end_date'),
    ('coop.share.dividend', ['approved'], 'end_date'),
    ('coop.surplus', ['approved'], 'posting_date'),
    ('coop.equity.revolvement', ['approved'], 'posting_date'),
    ('coop.commons.billing', ['computed'], 'end'),
    ('coop.commons.engagement.billing', ['computed'], 'invoice_date'),
    ('coop.commons.settlement', ['computed', 'approved'],
        'fiscalyear.end_date'),
    ]
# The documents that get their numbers from the sequence of a configuration
NUMBERED = [
    ('coop.membership.configuration', 'meeting_sequence', 'coop.meeting'),
    ('coop.share.configuration', 'share_move_sequence', 'coop.share.move'),
    ('coop.share.configuration', 'subscription_sequence',
        'coop.share.subscription'),
    ('coop.share.configuration', 'transfer_sequence', 'coop.share.transfer'),
    ('coop.share.configuration', 'redemption_sequence',
        'coop.share.redemption'),
    ('coop.share.configuration', 'certificate_sequence',
        'coop.share.certificate'),
    ('coop.share.configuration', 'dividend_sequence', 'coop.share.dividend'),
    ('coop.commons.configuration', 'booking_sequence',
        'coop.commons.booking'),
    ('coop.commons.configuration', 'billing_sequence',
        'coop.commons.billing'),
    ]


class AccountMove(BooksMixin, metaclass=PoolMeta):
    __name__ = 'account.move'

    @classmethod
    def check_books(cls, company, date):
        return [
            *super().check_books(company, date),
            *cls._check_balance(company, date),
            *cls._check_posted(company, date),
            ]

    @classmethod
    def _check_balance(cls, company, date):
        "Compare the sums of debit and credit"
        pool = Pool()
        Line = pool.get('account.move.line')
        cursor = Transaction().connection.cursor()
        move = cls.__table__()
        line = Line.__table__()
        query = (line
            .join(move, condition=line.move == move.id)
            .select(
                Coalesce(Sum(line.debit), 0).as_('debit'),
                Coalesce(Sum(line.credit), 0).as_('credit'),
                where=(move.company == company.id)
                & (move.state == 'posted')
                & (move.date <= date)))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, ['NUMERIC', 'NUMERIC'])
        cursor.execute(*query)
        (debit, credit), = cursor
        round_ = company.currency.round
        debit, credit = round_(Decimal(debit)), round_(Decimal(credit))
        if debit != credit:
            yield Difference(
                company, gettext('coop.msg_check_balance'), debit, credit)

    @classmethod
    def _check_posted(cls, company, date):
        "Look for moves of the cooperative that wait to be posted"
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        journal = Configuration(1).get_multivalue(
            'journal', company=company.id)
        for move in cls.search([
                    ('company', '=', company.id),
                    ('journal', '=', journal),
                    ('state', '=', 'draft'),
                    ('date', '<=', date),
                    ]):
            yield Difference(move, gettext('coop.msg_check_draft'))


class CheckStart(ModelView):
    __name__ = 'coop.check.start'
    __string__ = "Check Books"

    company = fields.Many2One('company.company', "Company", required=True)
    date = fields.Date("Date", required=True,
        help="The day at the end of which ledgers and accounts are compared.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()


class CheckResult(ModelView):
    __name__ = 'coop.check.result'
    __string__ = "Check Books"

    company = fields.Many2One('company.company', "Company", readonly=True)
    date = fields.Date("Date", readonly=True)
    summary = fields.Char("Summary", readonly=True)
    differences = fields.One2Many(
        'coop.check.difference', None, "Differences", readonly=True,
        states={
            'invisible': ~Eval('differences', []),
            })


class CheckDifference(ModelView):
    __name__ = 'coop.check.difference'
    __string__ = "Difference"

    kind = fields.Selection([
            ('error', "Error"),
            ('timing', "Timing"),
            ('pending', "Pending"),
            ('setup', "Setup"),
            ], "Kind", readonly=True, sort=False,
        help="Error: the ledger and the books do not agree.\n"
        "Timing: they will, because the move is dated in a later period.\n"
        "Pending: a document is not brought to its end.\n"
        "Setup: a sequence or an account is not fit for the next document.")
    record = fields.Reference("Record", selection='get_models', readonly=True)
    description = fields.Char("Description", readonly=True)
    party = fields.Many2One('party.party', "Party", readonly=True)
    expected = Monetary(
        "Expected", currency='currency', digits='currency', readonly=True,
        help="What the ledger of the cooperative says.")
    found = Monetary(
        "Found", currency='currency', digits='currency', readonly=True,
        help="What the account says.")
    difference = Monetary(
        "Difference", currency='currency', digits='currency', readonly=True)
    currency = fields.Many2One('currency.currency', "Currency", readonly=True)

    @classmethod
    def get_models(cls):
        pool = Pool()
        Model = pool.get('ir.model')
        return [(None, ''), *Model.get_name_items()]

    @classmethod
    def view_attributes(cls):
        return [
            *super().view_attributes(),
            ('/tree', 'visual', 'danger', {'kind': 'error'}),
            ]


class Check(Wizard):
    __name__ = 'coop.check'
    __string__ = "Check Books"
    start = StateView('coop.check.start', 'coop.check_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Check", 'result', 'tryton-ok', default=True),
            ])
    result = StateView('coop.check.result', 'coop.check_result_view_form', [
            Button("Back", 'start', 'tryton-back'),
            Button("Close", 'end', 'tryton-close', default=True),
            ])

    def default_start(self, fields):
        if getattr(self.start, 'company', None):
            return {
                'company': self.start.company.id,
                'date': self.start.date,
                }
        return {}

    def default_result(self, fields):
        company, date = self.start.company, self.start.date
        differences = self.get_differences(company, date)
        errors = len([d for d in differences if d.kind == 'error'])
        if not differences:
            summary = gettext('coop.msg_check_good')
        elif errors:
            summary = gettext('coop.msg_check_errors', count=errors)
        else:
            summary = gettext('coop.msg_check_no_error')
        return {
            'company': company.id,
            'date': date,
            'summary': summary,
            'differences': [
                self.get_values(difference, company.currency)
                for difference in differences],
            }

    @classmethod
    def get_differences(cls, company, date):
        "Return the differences with what is not brought to its end"
        return [
            *check_books(company, date),
            *cls.get_pending(company, date),
            *cls.get_setup(company),
            ]

    @classmethod
    def get_pending(cls, company, date):
        "Return what is approved or computed but not posted"
        pool = Pool()
        for model, states, name in PENDING:
            Model = pool.get(model)
            for record in Model.search([
                        ('company', '=', company.id),
                        ('state', 'in', states),
                        (name, '<=', date),
                        ], order=[(name, 'ASC'), ('id', 'ASC')]):
                yield Difference(
                    record, gettext('coop.msg_check_pending'),
                    kind='pending')

    @classmethod
    def get_setup(cls, company):
        "Return what is missing or does not fit in the configuration"
        pool = Pool()
        for name, field, model in NUMBERED:
            Configuration = pool.get(name)
            Model = pool.get(model)
            sequence = Configuration(1).get_multivalue(
                field, company=company.id)
            if not sequence:
                yield Difference(
                    company, gettext('coop.msg_check_sequence',
                        **Configuration.__names__(field)),
                    kind='setup')
            elif used := Model.search([
                        ('company', '=', company.id),
                        ('number', '=', sequence.preview),
                        ], limit=1):
                yield Difference(
                    sequence, gettext('coop.msg_check_number',
                        number=sequence.preview,
                        record=used[0].rec_name),
                    kind='setup')
        yield from cls._get_closed_accounts(company)

    @classmethod
    def _get_closed_accounts(cls, company):
        "Look for share classes whose accounts are closed"
        ShareClass = Pool().get('coop.share.class')
        accounts = [
            n for n in ShareClass._fields if n.startswith('account_')]
        for share_class in ShareClass.search([
                    ('company', '=', company.id),
                    ]):
            for name in accounts:
                account = getattr(share_class, name)
                if account and account.closed:
                    yield Difference(
                        share_class, gettext('coop.msg_check_account',
                            account=account.rec_name),
                        kind='setup')

    def get_values(self, difference, currency):
        amounts = [difference.expected, difference.found]
        return {
            'kind': difference.kind,
            'record': str(difference.record),
            'description': difference.description,
            'party': difference.party.id if difference.party else None,
            'expected': difference.expected,
            'found': difference.found,
            'difference': (
                difference.found - difference.expected
                if None not in amounts else None),
            'currency': currency.id,
            }
