# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.transaction import Transaction, check_access
from trytond.wizard import Button, StateAction, StateView


class AllocateStart(ModelView):
    __name__ = 'coop.share.redemption.allocate.start'
    __string__ = "Allocate Redemptions"

    company = fields.Many2One('company.company', "Company", required=True)
    fiscalyear = fields.Many2One(
        'account.fiscalyear', "Fiscal Year", required=True,
        domain=[
            ('company', '=', Eval('company', -1)),
            ])
    end_date = fields.Date("End Date", required=True,
        domain=[
            If(Eval('start_date', None),
                ('end_date', '>=', Eval('start_date', None)),
                ()),
            If(Eval('last_date', None),
                ('end_date', '<=', Eval('last_date', None)),
                ()),
            ],
        help="The last day the shares are held.")
    start_date = fields.Function(
        fields.Date("Start Date"), 'on_change_with_start_date')
    last_date = fields.Function(
        fields.Date("Last Date"), 'on_change_with_last_date')
    share_classes = fields.Many2Many(
        'coop.share.class', None, None, "Share Classes",
        domain=[
            ('company', '=', Eval('company', -1)),
            ('redeemable', '=', True),
            ['OR',
                ('redemption_cap', '!=', None),
                ('minimum_capital', '!=', None),
                ],
            ],
        help="Leave empty for all with a budget.")

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @fields.depends('fiscalyear')
    def on_change_with_start_date(self, name=None):
        return self.fiscalyear.start_date if self.fiscalyear else None

    @fields.depends('fiscalyear')
    def on_change_with_last_date(self, name=None):
        return self.fiscalyear.end_date if self.fiscalyear else None

    @fields.depends('fiscalyear')
    def on_change_with_end_date(self, name=None):
        return self.fiscalyear.end_date if self.fiscalyear else None


class AllocatePreview(ModelView):
    __name__ = 'coop.share.redemption.allocate.preview'
    __string__ = "Allocate Redemptions"

    lines = fields.One2Many(
        'coop.share.redemption.allocate.line', None, "Lines", readonly=True)


class AllocateLine(ModelView):
    __name__ = 'coop.share.redemption.allocate.line'
    __string__ = "Allocated Redemption"

    redemption = fields.Many2One(
        'coop.share.redemption', "Redemption", readonly=True)
    member = fields.Many2One('coop.member', "Member", readonly=True)
    share_class = fields.Many2One(
        'coop.share.class', "Share Class", readonly=True)
    request_date = fields.Date("Request Date", readonly=True)
    quantity_digits = fields.Integer("Quantity Digits", readonly=True)
    requested = fields.Numeric(
        "Requested", digits=(None, Eval('quantity_digits', 0)),
        readonly=True)
    granted = fields.Numeric(
        "Granted", digits=(None, Eval('quantity_digits', 0)), readonly=True)


class Allocate(CheckedWizard):
    __name__ = 'coop.share.redemption.allocate'
    __string__ = "Allocate Redemptions"
    start = StateView(
        'coop.share.redemption.allocate.start',
        'coop_shares.redemption_allocate_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Preview", 'preview', 'tryton-forward', default=True),
            ])
    preview = StateView(
        'coop.share.redemption.allocate.preview',
        'coop_shares.redemption_allocate_preview_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Allocate", 'allocate', 'tryton-ok', default=True),
            ])
    allocate = StateAction('coop_shares.act_redemption_form')

    @property
    def share_classes(self):
        ShareClass = Pool().get('coop.share.class')
        # What somebody else has typed in is not found
        with check_access():
            classes = ShareClass.get_budgeted(self.start.company)
        if self.start.share_classes:
            classes = [c for c in classes if c in self.start.share_classes]
        return ShareClass.browse(classes)

    def default_preview(self, fields):
        Grant = Pool().get('coop.share.redemption.grant')
        lines = []
        for redemption, quantity in Grant.plan(
                self.share_classes, self.start.fiscalyear,
                self.start.end_date).items():
            lines.append({
                    'redemption': redemption.id,
                    'member': redemption.member.id,
                    'share_class': redemption.share_class.id,
                    'request_date': redemption.request_date,
                    'quantity_digits': redemption.quantity_digits,
                    'requested': redemption.quantity,
                    'granted': quantity,
                    })
        return {'lines': lines}

    def do_allocate(self, action):
        Grant = Pool().get('coop.share.redemption.grant')
        redemptions = Grant.allocate(
            self.share_classes, self.start.fiscalyear, self.start.end_date)
        return action, {'res_id': [r.id for r in redemptions]}
