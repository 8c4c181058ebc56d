# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import Index, ModelSQL, ModelView, Workflow, fields
from trytond.modules.coop_membership.document import ResultMixin, SearchMixin
from trytond.modules.coop_membership.locking import claim
from trytond.modules.currency.fields import Monetary
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .drafting import DraftingMixin
from .exceptions import BillingError, RejectedError
from .slices import SLICE

__all__ = ['BilledMixin', 'StandingMixin', 'check_not_rejected']


def check_not_rejected(document):
    "Check that nothing is agreed with whose application is rejected"
    member = document.member
    if member and member.state == 'rejected':
        raise RejectedError(gettext(
                'coop_commons.msg_rejected',
                document=document.rec_name, member=member.rec_name))


class StandingMixin(DraftingMixin):
    "What is billed by lines, which stay those of what was agreed"
    __slots__ = ()

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, documents):
        claim(documents)
        for document in documents:
            if document.lines:
                raise BillingError(gettext(
                        'coop_commons.msg_standing_billed',
                        document=document.rec_name))
        super().draft(documents)

    @classmethod
    def find(cls, billing):
        "Return what the billing concerns"
        domain = [
            ('company', '=', billing.company.id),
            ('state', '=', 'confirmed'),
            ('valid_from', '<=', billing.end),
            ]
        if billing.for_parties:
            domain.append(
                ('member.party', 'in', [p.id for p in billing.for_parties]))
        if billing.for_resources:
            # A part of the resources does not tell what the others cost
            domain.append(
                ('resource', 'in', [r.id for r in billing.for_resources]))
        return cls.search(domain, order=[('id', 'ASC')])

    @classmethod
    def check_member(cls, documents):
        "Check that what is confirmed is not of who was rejected"
        for document in documents:
            check_not_rejected(document)

    @classmethod
    def end_with_rejection(cls, members):
        "End today what would run on after the members were rejected"
        Date = Pool().get('ir.date')
        to_save, to_cancel = [], []
        for sub_members in grouped_slice(members, SLICE):
            for document in cls.search([
                        ('member', 'in', [m.id for m in sub_members]),
                        ('state', 'in', ['draft', 'confirmed']),
                        ]):
                with Transaction().set_context(company=document.company.id):
                    today = Date.today()
                if document.state == 'draft' or today < document.valid_from:
                    to_cancel.append(document)
                elif not document.valid_until or today < document.valid_until:
                    document.valid_until = today
                    to_save.append(document)
        cls.save(to_save)
        cls.drop(to_cancel)

    @classmethod
    def drop(cls, documents):
        "Cancel what never counts, also if it was billed and given back"
        if documents:
            cls.write(documents, {'state': 'cancelled'})


class BilledMixin(ResultMixin, SearchMixin, ModelSQL):
    """What a billing charges a member for days beside the use

    The subclass names its document, which has a member, a product and may
    have a resource, and tells how the line of the invoice is described.
    """
    __slots__ = ()
    _document = None

    billing = fields.Many2One(
        'coop.commons.billing', "Billing", required=True,
        ondelete='RESTRICT')
    start = fields.Date("From", required=True)
    end = fields.Date("To", required=True)
    currency = fields.Function(
        fields.Many2One('currency.currency', "Currency"),
        'on_change_with_currency')
    amount = Monetary(
        "Amount", currency='currency', digits='currency', required=True,
        help="What is charged in addition, or taken off.")
    invoice_line = fields.Many2One(
        'account.invoice.line', "Invoice Line", ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add(cls._document)
        t = cls.__table__()
        cls._sql_indexes.update({
                Index(t, (t.billing, Index.Equality())),
                Index(t, (t.invoice_line, Index.Equality())),
                })
        cls._order = [('start', 'DESC'), ('id', 'DESC')]

    @property
    def document(self):
        return getattr(self, self._document)

    def get_rec_name(self, name):
        return '%s %s' % (self.document.rec_name, self.start)

    def get_description(self, invoice):
        "Return what the line of the invoice says"
        raise NotImplementedError

    def get_invoice_line(self, invoice):
        pool = Pool()
        Entry = pool.get('analytic.account.entry')
        InvoiceLine = pool.get('account.invoice.line')
        document = self.document
        line = InvoiceLine(
            invoice=invoice,
            company=invoice.company,
            currency=invoice.currency,
            type='line',
            product=document.product,
            origin=self.billing,
            description=self.get_description(invoice))
        line.on_change_product()
        line.quantity = 1
        line.unit_price = self.amount
        line.analytic_accounts = []
        center = document.resource and document.resource.analytic_account
        if center:
            line.analytic_accounts = [Entry(root=center.root, account=center)]
        return line
