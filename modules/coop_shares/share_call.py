# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

from sql import Null
from sql.aggregate import Sum

from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_membership.additional_move import REPLACING
from trytond.modules.coop_membership.books import Books, save_records
from trytond.modules.coop_membership.document import NumberedMixin
from trytond.modules.coop_membership.query import fetch_sums
from trytond.modules.coop_membership.rounding import half_up
from trytond.modules.coop_membership.run import ApprovedRunMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.transaction import Transaction

from .document import check_resolution, lock_members
from .exceptions import CallError
from .quantity import number, part
from .share_call_forfeiture import CallForfeiture


class Call(CallForfeiture, ApprovedRunMixin, NumberedMixin,
        ModelSQL, ModelView):
    __name__ = 'coop.share.call'
    __string__ = "Share Call"
    # Its moves are taken back by itself only
    replaces_claims = True
    _not_copied = {'resolution'}
    _steps = {
        'draft': (['computed', 'approved'], 'draft'),
        'compute': (['draft'], 'computed'),
        'approve': (['computed'], 'approved'),
        'post': (['approved'], 'posted'),
        'forfeit': (['posted'], None),
        'cancel': (['posted'], 'cancelled'),
        }
    _work = (('computed', 'approve', 'date'), ('approved', 'post', 'date'))
    _pending = {'approved': 'date'}
    _sequence = ('coop.share.configuration', 'call_sequence')
    _modify_states = {'computed': {'resolution'}}
    _date_order = [
        ('date', 'due_date', 'coop_shares.msg_call_dates'),
        ('due_date', 'forfeit_date', 'coop_shares.msg_call_forfeit_dates'),
        ]

    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True,
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            If(Eval('state') == 'draft',
                ('effective', '=', 'confirmation'),
                ()),
            ])
    date = fields.Date("Date", required=True,
        help="The day of the call: who has subscribed shares until then is "
        "called to pay.")
    percent = fields.Numeric("Percentage", digits=(None, 4), required=True,
        domain=[
            ('percent', '>', 0),
            ('percent', '<=', 100),
            ],
        help="The percentage of the par value that is called.")
    due_date = fields.Date("Due Date", required=True,
        help="The day on which what is called is to be paid.")
    forfeit_date = fields.Date("Forfeited from",
        help="The day from which shares of which the call is not paid can be "
        "forfeited.\n"
        "Leave empty if they can not.")
    resolution = fields.Many2One(
        'coop.meeting.item', "Resolution", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('kind', '=', 'resolution'),
            ],
        help="The resolution of the meeting that calls the shares.\n"
        "Leave empty if the board does.")
    lines = fields.One2Many(
        'coop.share.call.line', 'call', "Lines", readonly=True)
    amount = fields.Function(Monetary(
            "Amount", currency='currency', digits='currency'),
        'get_amount')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        # The class is one of the company
        cls.company.states['readonly'] = Eval('share_class', False)
        cls._order = [('date', 'DESC'), ('id', 'DESC')]
        cls._sql_constraints.append((
                'percent', Check(t,
                    (number(t.percent) > 0) & (number(t.percent) <= 100)),
                'coop_shares.msg_call_percent'))
        cls._buttons['forfeit']['invisible'] |= ~Eval('forfeit_date')
        cls._buttons['forfeit']['depends'].append('forfeit_date')

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    @classmethod
    def get_amount(cls, calls, name):
        line = Pool().get('coop.share.call.line').__table__()
        amounts = {c.id: c.currency.round(Decimal(0)) for c in calls}
        for id_, amount in fetch_sums(line.select(
                    line.call, Sum(line.amount).as_('amount'),
                    where=fields.SQL_OPERATORS['in'](
                        line.call, list(amounts))
                    & (line.amount != Null),
                    group_by=line.call)):
            amounts[id_] += Decimal(amount)
        return amounts

    def get_lines(self):
        "Return the unsaved lines of what is called of each subscription"
        Line = Pool().get('coop.share.call.line')
        amounts = self._get_amounts(self._get_uncalled())
        if not amounts:
            raise CallError(gettext(
                    'coop_shares.msg_call_nothing',
                    share_class=self.share_class.rec_name))
        return [
            Line(call=self, member=s.member, subscription=s, amount=amount)
            for s, amount in amounts.items()]

    def _get_uncalled(self):
        "Return by subscription its lines that are due only once called"
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        Subscription = pool.get('coop.share.subscription')
        subscriptions = Subscription.search([
                ('share_class', '=', self.share_class.id),
                ('state', '=', 'confirmed'),
                ('effective', '=', 'confirmation'),
                ('date', '<=', self.date),
                ], order=[('member', 'ASC'), ('date', 'ASC'), ('id', 'ASC')])
        lines = {
            s: [l for l in s_lines if not l.maturity_date]
            for s, s_lines in Subscription._open_lines(subscriptions).items()}
        claims = AdditionalMove.get_claims(
            [l for s_lines in lines.values() for l in s_lines])
        uncalled = {}
        for subscription, s_lines in lines.items():
            # What is put together with other claims is left to them
            s_lines = [l for l in s_lines if len(claims.get(l, [])) == 1]
            if s_lines:
                uncalled[subscription] = s_lines
        return uncalled

    def _get_amounts(self, uncalled):
        called, unit = part(self.percent), self.currency.rounding
        return {
            s: min(
                half_up(Fraction(s.amount) * called, unit),
                sum(l.debit for l in lines))
            for s, lines in uncalled.items()}

    def _check_lines(self):
        "Check that nothing has changed since the lines were computed"
        uncalled = self._get_uncalled()
        amounts = self._get_amounts(uncalled)
        lines = {l.subscription: l.amount for l in self.lines}
        changed = sorted({
                s.member.rec_name for s, _ in
                amounts.items() ^ lines.items()})
        if changed:
            raise CallError(gettext(
                    'coop_shares.msg_call_changed',
                    call=self.rec_name,
                    members=', '.join(
                        changed[:5] + ['...'] * (len(changed) > 5))))
        return uncalled

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    def approve(cls, calls):
        cls.lock(calls)
        check_resolution(calls)
        for call in calls:
            call._check_lines()
        cls.set_number(calls)
        cls.save(calls)

    @classmethod
    @ModelView.button
    @Workflow.transition('posted')
    def post(cls, calls):
        """Let what is called become due

        It is claimed since the subscription: the line that had no maturity is
        replaced by one that has, and by one of what is left.
        """
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        MoveLine = pool.get('account.move.line')
        Subscription = pool.get('coop.share.subscription')
        cls.lock(calls)
        lock_members(l.member for c in calls for l in c.lines)
        for call in calls:
            # One after the other: they may call the same shares
            uncalled = call._check_lines()
            books = Books(call.company)
            for line in call.lines:
                line.move = line.get_move(books, uncalled[line.subscription])
            lines = list(call.lines)
            Books.post([l.move for l in lines])
            save_records(lines)
            replacements, closing = defaultdict(list), []
            for move_line in MoveLine.search([
                        ('move', 'in', [l.move.id for l in lines])]):
                if move_line.debit:
                    replacements[move_line.origin].append(move_line)
                else:
                    closing.append([move_line.origin, move_line])
            with Transaction().set_context(**{REPLACING: True}):
                MoveLine.reconcile(*closing)
            AdditionalMove.add_parts(replacements)
            # Who has paid before it was called
            Subscription.reconcile([l.subscription for l in lines])

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, calls):
        pool = Pool()
        MoveLine = pool.get('account.move.line')
        Reconciliation = pool.get('account.move.reconciliation')
        cls.lock(calls)
        lock_members(l.member for c in calls for l in c.lines)
        for call in calls:
            lines = MoveLine.search([
                    ('move', 'in', [l.move.id for l in call.lines])])
            debits = [l for l in lines if l.debit]
            coming = MoveLine.on_its_way(debits)
            for line in debits:
                if line.reconciliation or coming[line]:
                    raise CallError(gettext(
                            'coop_shares.msg_call_cancel_paid',
                            call=call.rec_name,
                            member=line.party.rec_name))
            books = Books(call.company)
            reversals = [
                books.reversal(l.move, call.date, origin=l.move)
                for l in call.lines]
            with Transaction().set_context(**{REPLACING: True}):
                Reconciliation.delete(list({
                            l.reconciliation for l in lines
                            if l.reconciliation}))
                Books.post(reversals)
                MoveLine.reconcile(*(
                        [l.origin, l] for m in reversals for l in m.lines))
