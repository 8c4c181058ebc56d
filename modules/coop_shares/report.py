# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from itertools import groupby
from typing import Any, NamedTuple

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, Unique, fields
from trytond.model.exceptions import AccessError
from trytond.modules.company import CompanyReport
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.period import DAY
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.tools import grouped_slice
from trytond.transaction import Transaction, check_access
from trytond.wizard import Button, StateReport, StateView, Wizard

from .document import set_numbers
from .exceptions import CertificateError


class Certificate(ModelSQL, ModelView):
    __name__ = 'coop.share.certificate'
    __string__ = "Share Certificate"
    _rec_name = 'number'

    number = fields.Char("Number", required=True, readonly=True)
    company = fields.Many2One(
        'company.company', "Company", required=True, readonly=True)
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    date = fields.Date("Date", required=True, readonly=True)
    subscription = fields.Many2One(
        'coop.share.subscription', "Subscription", required=True,
        readonly=True, ondelete='RESTRICT')
    member = fields.Many2One(
        'coop.member', "Member", required=True, readonly=True,
        ondelete='RESTRICT')
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True, readonly=True,
        ondelete='RESTRICT')
    quantity_digits = fields.Function(fields.Integer("Quantity Digits"),
        'on_change_with_quantity_digits')
    quantity = fields.Numeric(
        "Quantity", digits=(None, Eval('quantity_digits', 0)),
        required=True, readonly=True)
    par_value = Monetary(
        "Par Value", currency='currency', digits='currency', required=True,
        readonly=True)
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        readonly=True)
    held_since = fields.Date("Held since", required=True, readonly=True,
        help="The first day of the shares.")
    replaces = fields.Many2One(
        'coop.share.certificate', "Replaces", readonly=True,
        ondelete='RESTRICT',
        help="The certificate that was lost.")

    @classmethod
    def __setup__(cls):
        cls.number.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('replaces_unique', Unique(t, t.replaces),
                'coop_shares.msg_certificate_replaced'),
            ]
        cls._order = [
            ('date', 'DESC'),
            ('id', 'DESC'),
            ]
        cls._buttons.update({
                'issue_again': {},
                })

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @fields.depends('share_class')
    def on_change_with_quantity_digits(self, name=None):
        if self.share_class:
            return self.share_class.quantity_digits

    @classmethod
    def check_modification(
            cls, mode, certificates, values=None, external=False):
        super().check_modification(
            mode, certificates, values=values, external=external)
        if external or mode != 'create':
            raise AccessError(gettext(
                    'coop_shares.msg_certificate_modify',
                    certificate=certificates[0].rec_name))

    @classmethod
    def issue(cls, certificates):
        "Number and save the certificates"
        set_numbers(certificates, 'certificate_sequence')
        cls.save(certificates)

    @classmethod
    @ModelView.button
    def issue_again(cls, certificates):
        pool = Pool()
        Date = pool.get('ir.date')
        copies = []
        for certificate in certificates:
            with Transaction().set_context(company=certificate.company.id):
                today = Date.today()
            copies.append(cls(
                    company=certificate.company,
                    date=today,
                    subscription=certificate.subscription,
                    member=certificate.member,
                    share_class=certificate.share_class,
                    quantity=certificate.quantity,
                    par_value=certificate.par_value,
                    amount=certificate.amount,
                    held_since=certificate.held_since,
                    replaces=certificate))
        cls.issue(copies)

    @classmethod
    def certify(cls, subscriptions):
        "Issue the certificates of the paid subscriptions that have none"
        pool = Pool()
        Date = pool.get('ir.date')
        certified = {
            c.subscription for c in cls.search([
                    ('subscription', 'in', [s.id for s in subscriptions]),
                    ])}
        certificates = []
        for subscription in subscriptions:
            if subscription.state != 'paid':
                raise CertificateError(gettext(
                        'coop_shares.msg_certificate_paid',
                        subscription=subscription.rec_name))
            if subscription in certified:
                continue
            with Transaction().set_context(company=subscription.company.id):
                today = Date.today()
            certificates.append(cls(
                    company=subscription.company,
                    date=today,
                    subscription=subscription,
                    member=subscription.member,
                    share_class=subscription.share_class,
                    quantity=subscription.quantity,
                    par_value=subscription.share_class.par_value,
                    amount=subscription.amount,
                    held_since=subscription.effective_date))
        cls.issue(certificates)


class CertificateReport(CompanyReport):
    __name__ = 'coop.share.certificate'


class StatementRow(NamedTuple):
    date: Any
    number: str
    text: str
    quantity: Any
    amount: Any
    balance: Any


class ClassStatement(NamedTuple):
    share_class: Any
    rows: list
    quantity: Any
    amount: Any
    paid_amount: Any


class StatementReport(CompanyReport):
    __name__ = 'coop.share.statement'

    @classmethod
    def get_context(cls, records, header, data):
        pool = Pool()
        Date = pool.get('ir.date')
        context = super().get_context(records, header, data)
        from_date = data.get('from_date')
        date = data.get('date') or Date.today()
        statements = cls.get_statements(records, from_date, date)
        context['from_date'] = from_date
        context['date'] = date
        context['statements'] = lambda member: statements[member.id]
        context['letters'] = [
            (member, recipient) for member in records
            for recipient in member.recipients(Date.today())]
        context['address'] = lambda party: (
            party.address_get().full_address if party.addresses else '')
        return context

    @classmethod
    def get_statements(cls, members, from_date, date):
        "Return the statements per class of each member"
        pool = Pool()
        Holding = pool.get('coop.share.holding')
        ShareMove = pool.get('coop.share.move')
        rows = defaultdict(list)
        paid = defaultdict(int)
        ids = {m.id for m in members}
        for sub_ids in grouped_slice(ids, SLICE):
            sub_ids = list(sub_ids)
            for move in ShareMove.search([
                        ('state', '=', 'done'),
                        ('date', '<=', date),
                        ['OR',
                            ('from_member', 'in', sub_ids),
                            ('to_member', 'in', sub_ids),
                            ],
                        ], order=[('date', 'ASC'), ('id', 'ASC')]):
                for member, other, sign in [
                        (move.to_member, move.from_member, 1),
                        (move.from_member, move.to_member, -1)]:
                    if member and member.id in sub_ids:
                        rows[member.id, move.share_class].append(
                            (move, other, sign))
            for company in {m.company for m in members}:
                with Transaction().set_context(
                        company=company.id, date=date):
                    for holding in Holding.search([
                                ('member', 'in', sub_ids),
                                ]):
                        key = holding.member.id, holding.share_class
                        paid[key] += holding.paid_amount
        statements = {id_: [] for id_ in ids}
        for (member, class_), moves in sorted(
                rows.items(), key=lambda i: (i[0][0], i[0][1].code)):
            statement = cls._get_statement(
                class_, moves, from_date, date, paid[member, class_])
            if statement.rows:
                statements[member].append(statement)
        return statements

    @classmethod
    def _get_statement(cls, share_class, moves, from_date, date, paid):
        quantity = amount = 0
        rows = []
        opening = None
        for move, other, sign in moves:
            if from_date and move.date >= from_date and opening is None:
                opening = quantity, amount
            quantity += sign * move.quantity
            amount += sign * move.amount
            if from_date and move.date < from_date:
                continue
            text = move.kind_string
            if other:
                text = f'{text}: {other.rec_name}'
            rows.append(StatementRow(
                    move.date, move.number, text, sign * move.quantity,
                    sign * move.amount, amount))
        if from_date:
            if opening is None:
                opening = quantity, amount
            if any(opening):
                rows.insert(0, StatementRow(
                        from_date - DAY, '',
                        gettext('coop_shares.msg_statement_opening'),
                        *opening, opening[1]))
        return ClassStatement(share_class, rows, quantity, amount, paid)


class PrintStatementStart(ModelView):
    __name__ = 'coop.share.statement.print.start'
    __string__ = "Print Share Statements"

    company = fields.Many2One('company.company', "Company", required=True)
    from_date = fields.Date("From Date",
        help="The first day of the statement.\n"
        "Leave empty for the whole ledger.")
    date = fields.Date("To Date", required=True,
        help="The last day of the statement.")
    members = fields.Many2Many(
        'coop.member', None, None, "Members",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="Leave empty for all who hold or held shares in the time.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()


class PrintStatement(Wizard):
    __name__ = 'coop.share.statement.print'
    __string__ = "Print Share Statements"
    start = StateView(
        'coop.share.statement.print.start',
        'coop_shares.statement_print_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Print", 'print_', 'tryton-print', default=True),
            ])
    print_ = StateReport('coop.share.statement')

    def default_start(self, fields):
        values = {}
        if self.model and self.model.__name__ == 'coop.member':
            values['members'] = [m.id for m in self.records]
            values['company'] = self.record.company.id
        return values

    def do_print_(self, action):
        pool = Pool()
        Member = pool.get('coop.member')
        ShareMove = pool.get('coop.share.move')
        if self.start.members:
            ids = [m.id for m in self.start.members]
        else:
            holdings = ShareMove.holdings_at(
                self.start.company, self.start.date, by=('member',))
            ids = {member for member, in holdings}
            if self.start.from_date:
                for move in ShareMove.search([
                            ('company', '=', self.start.company.id),
                            ('state', '=', 'done'),
                            ('date', '>=', self.start.from_date),
                            ('date', '<=', self.start.date),
                            ('from_member', '!=', None),
                            ]):
                    ids.add(move.from_member.id)
        with check_access():
            members = []
            for sub_ids in grouped_slice(sorted(ids), SLICE):
                members.extend(Member.search([('id', 'in', list(sub_ids))]))
        return action, {
            'ids': [m.id for m in members],
            'from_date': self.start.from_date,
            'date': self.start.date,
            }


class QueueReport(CompanyReport):
    __name__ = 'coop.share.redemption.queue'

    @classmethod
    def get_context(cls, records, header, data):
        context = super().get_context(records, header, data)
        queued = sorted(
            (r for r in records if r.queue_position),
            key=lambda r: (
                r.share_class.code, r.share_class.id, r.queue_position))
        context['queues'] = [
            (class_, list(redemptions)) for class_, redemptions in groupby(
                queued, key=lambda r: r.share_class)]
        return context
