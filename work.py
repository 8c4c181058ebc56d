# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Literal, Null, Union
from sql.aggregate import Max, Min, Sum
from sql.conditionals import Coalesce
from sql.operators import Concat

from trytond.model import ModelSQL, ModelView, fields
from trytond.modules.coop_membership.claim import open_due
from trytond.modules.coop_membership.date import LONG_AGO
from trytond.modules.coop_membership.document import collect, full_name
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Date, Eval, If

from .readable import may_read

MEMBERSHIP = 'coop_membership.group_coop_membership'
ACCOUNTING = 'coop_membership.group_coop_accounting'
BOARD = 'coop_membership.group_coop_board'
STEWARDSHIP = 'coop_commons.group_commons_stewardship'

# What is to do, and the group that can do it
KINDS = [
    ('admit', "Admit or Reject", BOARD),
    ('leave', "Let Leave", MEMBERSHIP),
    ('meeting', "Hold or Close", MEMBERSHIP),
    ('confirm', "Confirm", ACCOUNTING),
    ('collect', "Collect", ACCOUNTING),
    ('approve', "Approve", BOARD),
    ('end', "End", ACCOUNTING),
    ('settle', "Settle", ACCOUNTING),
    ('pay', "Pay", ACCOUNTING),
    ('reply', "Accept or Refuse", MEMBERSHIP),
    ('answer', "Answer", STEWARDSHIP),
    ('check', "Confirm the Use", STEWARDSHIP),
    ('rate', "Rate", STEWARDSHIP),
    ('bill', "Bill", ACCOUNTING),
    ('post', "Post", ACCOUNTING),
    ]
# Those whose date is a deadline
DEADLINES = ['leave', 'meeting', 'collect', 'end', 'pay']
# Those that can not be done before their date
DUE = {'meeting'}

USAGES = [
    ('draft', 'check'),
    ('confirmed', 'rate'),
    ('rated', 'bill'),
    ]

# What waits by more than its state
OTHERS = [
    'coop.commons.booking', 'coop.commons.resource', 'coop.share.redemption',
    'coop.share.subscription']


class Work(ModelSQL, ModelView):
    __name__ = 'coop.work'
    __string__ = "Work"

    company = fields.Many2One('company.company', "Company")
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"), 'on_change_with_currency')
    group = fields.Many2One('res.group', "For",
        help="The group that can do it.")
    kind = fields.Selection(
        [(kind, name) for kind, name, _ in KINDS], "To Do", sort=False)
    record_name = fields.Function(
        fields.Char("Record"), 'get_record_name')
    record = fields.Reference("Open", selection='get_models')
    party = fields.Many2One('party.party', "Party",
        context={
            'company': Eval('company', -1),
            },
        depends={'company'})
    date = fields.Date("Date", help="The day since when it can be done.")
    amount = Monetary("Amount", currency='currency', digits='currency')
    overdue = fields.Function(fields.Boolean("Overdue",
            help="The day until which it should have been done is over."),
        'get_overdue', searcher='search_overdue')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [
            ('date', 'ASC NULLS LAST'),
            ('id', 'ASC'),
            ]

    @classmethod
    def get_models(cls):
        Model = Pool().get('ir.model')
        # Who may not read one of the models would lose the field
        return [(None, ''), *(
                (name, Model.get_name(name))
                for name in [*(d.__name__ for d in collect('_work')), *OTHERS]
                if may_read(name))]

    @fields.depends('company')
    def on_change_with_currency(self, name=None):
        return self.company.currency if self.company else None

    @classmethod
    def get_overdue(cls, works, name):
        today = Pool().get('ir.date').today()
        return {
            w.id: bool(w.kind in DEADLINES and w.date and w.date < today)
            for w in works}

    @classmethod
    def search_overdue(cls, name, clause):
        today = Pool().get('ir.date').today()
        _, operator, value = clause
        domain = [
            ('kind', 'in', DEADLINES),
            ('date', '<', today),
            ]
        if (operator == '=') == bool(value):
            return domain
        return ['OR',
            ('kind', 'not in', DEADLINES),
            ('date', '=', None),
            ('date', '>=', today),
            ]

    def get_record_name(self, name):
        return full_name(self.record)

    def get_rec_name(self, name):
        return self.record_name

    @classmethod
    def view_attributes(cls):
        return [
            *super().view_attributes(),
            ('/tree', 'visual',
                If(Eval('overdue', False),
                    If(Eval('date', Date()) < LONG_AGO, 'danger', 'warning'),
                    ''),
                ['overdue', 'date']),
            ]

    @classmethod
    def table_query(cls):
        today = Pool().get('ir.date').today()
        rows = [
            *cls._documents(today),
            *cls._members(today),
            *cls._subscriptions(today),
            *cls._redemptions(today),
            *cls._bookings(),
            *cls._usages(),
            ]
        return Union(*(
                cls._select(index, len(rows), *row)
                for index, row in enumerate(rows)), all_=True)

    @classmethod
    def _select(cls, index, count, kind, model, from_, columns, options):
        "Return the query of what is to do with the records of a model"
        ModelData = Pool().get('ir.model.data')
        group, = [g for k, _, g in KINDS if k == kind]
        id_ = columns.pop('id')
        columns = {
            'party': cls.party.sql_cast(Null),
            'date': cls.date.sql_cast(Null),
            'amount': cls.amount.sql_cast(Null),
            **columns,
            'group': cls.group.sql_cast(
                Literal(ModelData.get_id(*group.split('.')))),
            'kind': cls.kind.sql_cast(Literal(kind)),
            'record': cls.record.sql_cast(Concat(f'{model},', id_)),
            }
        return from_.select(
            (id_ * count + index).as_('id'),
            *(columns[name].as_(name) for name in [
                    'company', 'group', 'kind', 'record', 'party', 'date',
                    'amount']),
            **options)

    @classmethod
    def _members(cls, today):
        pool = Pool()
        Member = pool.get('coop.member')
        Membership = pool.get('coop.membership')
        member = Member.__table__()
        membership = Membership.__table__()
        yield 'leave', 'coop.member', member.join(membership,
            condition=(membership.member == member.id)
            & (membership.end_date == membership.exit_date)), {
            'id': member.id,
            'company': member.company,
            'party': member.party,
            'date': Max(membership.exit_date),
            }, {
            'where': member.state == 'leaving',
            'group_by': [member.id, member.company, member.party],
            'having': Max(membership.exit_date) < today,
            }

    @classmethod
    def _subscriptions(cls, today):
        pool = Pool()
        Member = pool.get('coop.member')
        Payment = pool.get('coop.share.subscription.payment')
        Subscription = pool.get('coop.share.subscription')
        subscription = Subscription.__table__()
        member = Member.__table__()
        total = subscription.amount + Coalesce(subscription.premium, 0)
        columns = {
            'id': subscription.id,
            'company': subscription.company,
            'party': member.party,
            'date': subscription.date,
            'amount': total,
            }
        from_ = subscription.join(
            member, condition=subscription.member == member.id)
        yield 'confirm', 'coop.share.subscription', from_, columns, {
            'where': subscription.state == 'draft',
            }
        payment = Payment.__table__()
        paid = payment.select(
            payment.subscription, Sum(payment.amount).as_('amount'),
            group_by=payment.subscription)
        due = open_due(Subscription, 'move')
        yield 'collect', 'coop.share.subscription', (from_
            .join(due, condition=due.document == subscription.id)
            .join(paid, 'LEFT',
                condition=paid.subscription == subscription.id)), {
            **columns,
            'date': due.date,
            'amount': total - Coalesce(paid.amount, 0),
            }, {
            'where': (subscription.state == 'confirmed')
            & (due.date <= today),
            }

    @classmethod
    def _redemptions(cls, today):
        pool = Pool()
        Member = pool.get('coop.member')
        Redemption = pool.get('coop.share.redemption')
        ShareClass = pool.get('coop.share.class')
        for state, kind in [
                ('requested', 'approve'),
                ('approved', 'end'),
                ('ended', 'settle'),
                ('settled', 'pay'),
                ]:
            redemption = Redemption.__table__()
            class_ = ShareClass.__table__()
            member = Member.__table__()
            from_ = (redemption
                .join(member, condition=redemption.member == member.id)
                .join(class_, condition=redemption.share_class == class_.id))
            date = redemption.request_date
            amount = Coalesce(
                redemption.amount, redemption.quantity * class_.par_value)
            where = redemption.state == state
            if state in {'approved', 'ended'}:
                date = redemption.end_date
            elif state == 'settled':
                due = open_due(Redemption, until=today)
                from_ = from_.join(
                    due, condition=due.document == redemption.id)
                date = due.date
                amount = -due.amount
            if state in {'approved', 'settled'}:
                where &= (date != Null) & (date <= today)
            yield kind, 'coop.share.redemption', from_, {
                'id': redemption.id,
                'company': redemption.company,
                'party': member.party,
                'date': date,
                'amount': amount,
                }, {
                'where': where,
                }

    @classmethod
    def _bookings(cls):
        pool = Pool()
        booking = pool.get('coop.commons.booking').__table__()
        yield 'answer', 'coop.commons.booking', booking, {
            'id': booking.id,
            'company': booking.company,
            'party': booking.party,
            'date': cls.date.sql_cast(booking.start),
            }, {
            'where': (booking.state == 'request')
            & (~booking.waiting | (booking.offered_at != Null)),
            }

    @classmethod
    def _usages(cls):
        "A resource waits once for all its usages"
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Usage = pool.get('coop.commons.usage')
        for state, kind in USAGES:
            usage = Usage.__table__()
            columns = {
                'id': usage.resource,
                'company': usage.company,
                'date': Min(usage.date),
                }
            from_ = usage
            if state == 'rated':
                charge = Charge.__table__()
                charges = charge.select(
                    charge.usage, Sum(charge.amount).as_('amount'),
                    group_by=charge.usage)
                from_ = usage.join(
                    charges, 'LEFT', condition=charges.usage == usage.id)
                columns['amount'] = Sum(Coalesce(charges.amount, 0))
            yield kind, 'coop.commons.resource', from_, columns, {
                'where': usage.state == state,
                'group_by': [usage.resource, usage.company],
                }

    @classmethod
    def _documents(cls, today):
        for Model in collect('_work'):
            for state, kind, date in Model._work:
                table = Model.__table__()
                columns = {
                    'id': table.id,
                    'company': table.company,
                    }
                if 'party' in Model._fields:
                    columns['party'] = table.party
                where = table.state == state
                if date:
                    columns['date'] = getattr(table, date)
                    if kind in DUE:
                        where &= columns['date'] <= today
                yield kind, Model.__name__, table, columns, {'where': where}
