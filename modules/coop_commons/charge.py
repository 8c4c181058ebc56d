# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Null

from trytond.model import Index, ModelSQL, ModelView, fields
from trytond.modules.coop_membership.document import LedgerMixin, SearchMixin
from trytond.pool import Pool

from .digits import AMOUNT_DIGITS, QUANTITY_DIGITS


class Charge(LedgerMixin, SearchMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.usage.charge'
    __string__ = "Usage Charge"
    _search_names = ('usage.rec_name', 'component.rec_name')
    _linked = {'billing', 'invoice_line'}
    # Only runs write them, and what they do is logged on their document
    _log = False

    usage = fields.Many2One(
        'coop.commons.usage', "Usage", required=True, ondelete='CASCADE')
    component = fields.Many2One(
        'coop.commons.tariff.component', "Component", required=True,
        ondelete='RESTRICT')
    tariff = fields.Function(
        fields.Many2One('coop.commons.tariff', "Tariff"),
        'get_tariff', searcher='search_tariff')
    kind = fields.Selection([
            ('price', "Price"),
            ('flat', "Flat Amount"),
            ('included', "Included"),
            ('minimum', "Minimum"),
            ('cap', "Cap"),
            ('subsidy', "Subsidy"),
            ('event', "Event"),
            ], "Kind", required=True, sort=False)
    kind_string = kind.translated('kind')
    band = fields.Many2One(
        'coop.commons.tariff.band', "Band", ondelete='RESTRICT')
    tier = fields.Many2One(
        'coop.commons.tariff.tier', "Tier", ondelete='RESTRICT')
    date = fields.Date("Date", required=True)
    quantity = fields.Numeric(
        "Quantity", digits=QUANTITY_DIGITS, required=True)
    unit = fields.Function(
        fields.Many2One('product.uom', "Unit"), 'get_unit')
    unit_price = fields.Numeric(
        "Unit Price", digits=AMOUNT_DIGITS, required=True)
    amount = fields.Numeric(
        "Amount", digits=AMOUNT_DIGITS, required=True,
        help="The exact amount, it is rounded on the line that is billed.")
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"), 'get_currency')
    billing = fields.Many2One(
        'coop.commons.billing', "Billing", readonly=True,
        ondelete='RESTRICT')
    invoice_line = fields.Many2One(
        'account.invoice.line', "Invoice Line", readonly=True,
        ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('usage')
        t = cls.__table__()
        cls._sql_indexes.update({
                Index(t, (t.billing, Index.Equality())),
                Index(t, (t.usage, Index.Equality()),
                    where=t.billing == Null),
                Index(t, (t.component, Index.Equality()),
                    (t.date, Index.Range())),
                })

    def get_unit(self, name):
        if self.kind in {'price', 'included'} and self.component.unit:
            return self.component.unit.id

    def get_tariff(self, name):
        return self.component.tariff.id

    @classmethod
    def search_tariff(cls, name, clause):
        return [('component.' + clause[0], *clause[1:])]

    def get_currency(self, name):
        return self.component.tariff.currency.id

    def get_rec_name(self, name):
        return '%s - %s' % (self.usage.rec_name, self.component.rec_name)

    @classmethod
    def set_usage_state(cls, charges, before, after):
        "Change the state of the usages that have the one before"
        Usage = Pool().get('coop.commons.usage')
        usages = [u for u in {c.usage for c in charges} if u.state == before]
        if usages:
            Usage.write(usages, {'state': after})
