# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Null

from trytond.i18n import gettext
from trytond.model import Check, ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_membership.books import Books
from trytond.modules.coop_membership.document import DocumentMixin
from trytond.modules.coop_shares.debt import reconcile_open
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Bool, Eval

from .exceptions import FundError
from .part import number


class FundUse(DocumentMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.fund.use'
    __string__ = "Fund Use"
    _search_names = ('fund.rec_name', 'purpose')
    _steps = {
        'post': (['draft'], 'posted'),
        'cancel': (['posted'], 'cancelled'),
        }
    _sealed_states = {
        'cancelled': frozenset(),
        }
    _pending = {'draft': 'date'}

    fund = fields.Many2One(
        'coop.fund', "Fund", required=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    date = fields.Date("Date", required=True)
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        domain=[
            ('amount', '>', 0),
            ])
    purpose = fields.Char("Purpose", required=True,
        help="What the money is for.")
    payment_method = fields.Many2One(
        'account.invoice.payment.method', "Payment Method",
        ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Bool(Eval('account')),
            'required': ~Eval('account'),
            },
        help="How the money is paid.")
    account = fields.Many2One(
        'account.account', "Account", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ('type', '!=', None),
            ('party_required', '!=', True),
            ('closed', '!=', True),
            ],
        states={
            'invisible': Bool(Eval('payment_method')),
            },
        help="The account that gets the amount where no money is paid: that "
        "of the cost that the fund bears, or of another reserve.")
    move = fields.Many2One(
        'account.move', "Move", readonly=True, ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': ~Eval('move'),
            })
    state = fields.Selection([
            ('draft', "Draft"),
            ('posted', "Posted"),
            ('cancelled', "Cancelled"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._order = [('date', 'DESC'), ('id', 'DESC')]
        cls._sql_constraints += [
            ('amount_positive', Check(t, number(t.amount) > 0),
                'coop_patronage.msg_fund_use_amount'),
            ('counterpart', Check(t,
                    (t.payment_method == Null) | (t.account == Null)),
                'coop_patronage.msg_fund_use_counterpart'),
            ]

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    def get_rec_name(self, name):
        return ' '.join([
                self.fund.rec_name, str(self.date), self.purpose])

    @classmethod
    def refusals_post(cls, uses):
        "A fund gives no more than it has, whatever is posted together"
        refused, left = {}, {}
        for use in uses:
            key = use.fund, use.date
            if key not in left:
                left[key] = min(
                    use.fund.get_balance_at(use.date),
                    use.fund.get_balance_at())
            if use.amount > left[key]:
                refused[use] = gettext(
                    'coop_patronage.msg_fund_use_balance',
                    use=use.rec_name)
            else:
                for other in left:
                    if other[0] == use.fund:
                        left[other] -= use.amount
        return refused

    @classmethod
    @ModelView.button
    @Workflow.transition('posted')
    def post(cls, uses):
        Fund = Pool().get('coop.fund')
        Fund.lock(list({u.fund for u in uses}))
        cls.check_step('post', uses, error=FundError)
        for use in uses:
            use.move = use.get_move()
        Books.post([u.move for u in uses])
        cls.save(uses)
        for use in uses:
            use.reconcile()

    def get_move(self):
        books = Books(self.company)
        method = self.payment_method
        move = books.move(self.date, [
                self.fund.get_line(books, self.amount, self.date),
                books.line(
                    method.credit_account if method else self.account,
                    -self.amount),
                ], origin=self, description=' '.join([
                    self.fund.rec_name, self.purpose]))
        if method:
            move.journal = method.journal
        return move

    def reconcile(self):
        "Reconcile the oldest debt of the amount, or all that is paid now"
        Line = Pool().get('account.move.line')
        if not self.fund.is_debt:
            return
        line, = self._fund_lines
        debts = Line.search([
                ('account', '=', line.account.id),
                ('party', '=', line.party.id),
                ('credit', '=', self.amount),
                ('move_state', '=', 'posted'),
                ('reconciliation', '=', None),
                ], order=[('maturity_date', 'ASC'), ('id', 'ASC')], limit=1)
        if debts:
            Line.reconcile([debts[0], line])
        else:
            reconcile_open([line])

    @property
    def _fund_lines(self):
        return [
            l for l in self.move.lines
            if l.account == self.fund.account and l.debit]

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, uses):
        pool = Pool()
        Line = pool.get('account.move.line')
        Reconciliation = pool.get('account.move.reconciliation')
        Reconciliation.delete(list({
                    l.reconciliation for u in uses for l in u._fund_lines
                    if l.reconciliation}))
        reversals = {}
        for use in uses:
            reversal = Books(use.company).reversal(use.move, use.date)
            reversal.journal = use.move.journal
            reversals[use] = reversal
        Books.post(list(reversals.values()))
        for use, reversal in reversals.items():
            if use.fund.is_debt:
                Line.reconcile([
                        *use._fund_lines,
                        *(l for l in reversal.lines
                            if l.account == use.fund.account
                            and l.credit == use.amount)])
