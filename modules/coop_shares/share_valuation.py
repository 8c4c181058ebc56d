# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from sql import Null

from trytond.model import Check, ModelSQL, ModelView, Unique, Workflow, fields
from trytond.modules.coop_membership.document import DocumentMixin
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.pyson import Eval

from .quantity import number


class Valuation(DocumentMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.share.valuation'
    __string__ = "Share Valuation"
    _steps = {
        'approve': (['draft'], 'approved'),
        'draft': (['approved'], 'draft'),
        }
    _work = (('draft', 'approve', None),)

    _search_names = ('share_class.rec_name', 'fiscalyear.rec_name')

    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="The year at the end of which the shares have the value.")
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    method = fields.Selection([
            ('share', "By Share"),
            ('head', "By Head"),
            ('balance', "By Balance"),
            ], "Method", required=True, sort=False,
        help="How the members bear the loss: each share, each member "
        "or each amount of capital the same.")
    equity_per_share = Monetary(
        "Equity per Share", currency='currency', digits='currency',
        states={
            'invisible': Eval('method') != 'share',
            'required': Eval('method') == 'share',
            },
        help="The equity of the balance sheet per share.")
    loss_per_share = fields.Function(Monetary(
            "Loss per Share", currency='currency', digits='currency',
            states={
                'invisible': Eval('method') != 'share',
                },
            help="What is missing to the par value."),
        'on_change_with_loss_per_share')
    loss_per_member = Monetary(
        "Loss per Member", currency='currency', digits='currency',
        states={
            'invisible': Eval('method') != 'head',
            'required': Eval('method') == 'head',
            },
        help="The loss that each member bears.")
    loss_percent = fields.Numeric("Loss Percentage", digits=(None, 4),
        domain=['OR',
            ('loss_percent', '=', None),
            [
                ('loss_percent', '>=', 0),
                ('loss_percent', '<=', 100),
                ],
            ],
        states={
            'invisible': Eval('method') != 'balance',
            'required': Eval('method') == 'balance',
            },
        help="The percentage of the paid capital that is lost.")
    resolution = fields.Many2One(
        'coop.meeting.item', "Resolution",
        domain=[
            ('meeting.company', '=', Eval('company', -1)),
            ('result', '=', 'carried'),
            ],
        help="The resolution of the meeting that approved the value.")
    state = fields.Selection([
            ('draft', "Draft"),
            ('approved', "Approved"),
            ], "State", required=True, readonly=True, sort=False)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        # The class is one of the company
        cls.company.states['readonly'] = Eval('share_class', False)
        t = cls.__table__()
        cls._sql_constraints += [
            ('fiscalyear_class_unique',
                Unique(t, t.fiscalyear, t.share_class),
                'coop_shares.msg_valuation_unique'),
            ('loss_positive', Check(t,
                    ((t.loss_per_member == Null)
                        | (number(t.loss_per_member) >= 0))
                    & ((t.equity_per_share == Null)
                        | (number(t.equity_per_share) >= 0))),
                'coop_shares.msg_valuation_loss_positive'),
            ]

    @classmethod
    def default_method(cls):
        return 'share'

    @fields.depends(
        'method', 'share_class', '_parent_share_class.par_value',
        'equity_per_share')
    def on_change_with_loss_per_share(self, name=None):
        # The reserves do not belong to who leaves
        if (self.method == 'share' and self.share_class
                and self.equity_per_share is not None):
            return max(
                self.share_class.par_value - self.equity_per_share,
                Decimal(0))

    def get_rec_name(self, name):
        return f'{self.share_class.rec_name} @ {self.fiscalyear.rec_name}'

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    def approve(cls, valuations):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, valuations):
        pass

    @classmethod
    def get_losses(cls, redemptions):
        "Return the loss of each redemption that has a valuation"
        valuations = {}
        for valuation in cls.search([
                    ('state', '=', 'approved'),
                    ('share_class', 'in', [
                            c.id for c in {
                                r.share_class for r in redemptions}]),
                    ]):
            valuations.setdefault(
                valuation.share_class, []).append(valuation)
        losses, held = {}, {}
        for redemption in redemptions:
            for valuation in valuations.get(redemption.share_class, []):
                fiscalyear = valuation.fiscalyear
                if (fiscalyear.start_date <= redemption.end_date
                        <= fiscalyear.end_date):
                    key = valuation, redemption.end_date
                    if valuation.method == 'head' and key not in held:
                        held[key] = valuation.get_held(
                            redemptions, redemption.end_date)
                    losses[redemption] = valuation.get_loss(
                        redemption, held.get(key))
        return losses

    def get_held(self, redemptions, date):
        "Return the capital of the members that redeem shares on the date"
        pool = Pool()
        ShareMove = pool.get('coop.share.move')
        holdings = ShareMove.holdings_at(
            self.company, date,
            members=[r.member for r in redemptions if r.end_date == date],
            classes=[self.share_class])
        return {member: amount for (member, _), (_, amount)
            in holdings.items()}

    def get_loss(self, redemption, held):
        """Return the loss the redemption bears.

        `held` is the capital of the members, which a loss by head needs.
        """
        round_ = self.currency.round
        if self.method == 'share':
            return round_(redemption.quantity * self.loss_per_share)
        elif self.method == 'balance':
            # Only what was paid up can be lost
            return round_(redemption.claim * self.loss_percent / 100)
        # The member's loss for the part of the holding that is redeemed
        amount = held.get(redemption.member.id)
        if amount:
            return round_(self.loss_per_member * redemption.amount / amount)
        return Decimal(0)
