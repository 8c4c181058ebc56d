# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from sql import Null

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, Workflow, fields
from trytond.modules.company.model import employee_field, set_employee
from trytond.modules.coop_membership.agreement import BooksMixin
from trytond.modules.coop_membership.document import NumberedMixin
from trytond.modules.coop_membership.run import RunMixin
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .billing_invoice import BillingInvoicing
from .billing_posting import BillingPosting
from .billing_rounding import BillingRounding
from .configuration import DETAILS, GROUPINGS
from .exceptions import BillingError
from .pack_consumption import use_packs
from .slices import SLICE, search_slices


class Billing(
        BillingInvoicing, BillingPosting, BillingRounding, RunMixin,
        NumberedMixin, BooksMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.billing'
    __string__ = "Commons Billing"
    _sequence = ('coop.commons.configuration', 'billing_sequence')
    _work = (('computed', 'post', 'end'),)
    _pending = {'computed': 'end'}
    _internal = {'posted_by'}
    _date_order = (('start', 'end', 'coop_commons.msg_billing_dates'),)

    start = fields.Date(
        "From",
        domain=[
            If(Eval('start') & Eval('end'),
                ('start', '<=', Eval('end')),
                ()),
            ],
        help="The first day of the usages, besides those that came late for "
        "the billings before.\n"
        "Leave empty for all that are not billed yet.")
    end = fields.Date(
        "To", required=True,
        help="The last day of the usages.")
    invoice_date = fields.Date(
        "Invoice Date", required=True,
        help="The date of the invoices, which can not be before the one of "
        "invoices that have already a number.")
    accounting_date = fields.Date(
        "Accounting Date",
        help="The date of the accounting moves if it is another one.")
    for_resources = fields.Many2Many(
        'coop.commons.billing-coop.commons.resource', 'billing', 'resource',
        "Resources",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        help="Leave empty for all resources.")
    for_parties = fields.Many2Many(
        'coop.commons.billing-party.party', 'billing', 'party', "Parties",
        context={
            'company': Eval('company', -1),
            },
        depends={'company'},
        help="Leave empty for all parties and cost centres.")
    grouping = fields.Selection(
        GROUPINGS, "Invoice per", required=True, sort=False,
        help="What has its own invoice.")
    detail = fields.Selection(
        DETAILS, "Line per", required=True, sort=False,
        help="What has its own line on the invoices, for each resource.")
    problems = fields.Text(
        "Problems", readonly=True,
        states={
            'invisible': ~Eval('problems'),
            },
        help="Why usages of the period could not be billed.")
    invoices = fields.Function(
        fields.Many2Many('account.invoice', None, None, "Invoices"),
        'get_invoices')
    move = fields.Many2One(
        'account.move', "Internal Move", readonly=True,
        states={
            'invisible': ~Eval('move'),
            },
        help="The move that charges the cost centres.")
    internal_charges = fields.One2Many(
        'coop.commons.billing.internal', 'billing', "Internal Charges",
        readonly=True,
        states={
            'invisible': ~Eval('internal_charges', []),
            })
    pack_move = fields.Many2One(
        'account.move', "Pack Move", readonly=True,
        states={
            'invisible': ~Eval('pack_move'),
            },
        help="The move by which the use of prepaid packs is earned.")
    pack_uses = fields.One2Many(
        'coop.commons.pack.use', 'billing', "Uses of Packs", readonly=True,
        states={
            'invisible': ~Eval('pack_uses', []),
            })
    contract_lines = fields.One2Many(
        'coop.commons.contract.line', 'billing', "Contracts",
        readonly=True,
        states={
            'invisible': ~Eval('contract_lines', []),
            })
    commitment_lines = fields.One2Many(
        'coop.commons.commitment.line', 'billing', "Commitments",
        readonly=True,
        states={
            'invisible': ~Eval('commitment_lines', []),
            })
    charges_count = fields.Function(
        fields.Integer("Charges"), 'get_charges_count')
    posted_by = employee_field("Posted by", states=['posted'])

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [('end', 'DESC'), ('id', 'DESC')]

    @classmethod
    def default_invoice_date(cls):
        return Pool().get('ir.date').today()

    @classmethod
    def default_grouping(cls):
        return cls._get_configuration('billing_grouping')

    @classmethod
    def default_detail(cls):
        return cls._get_configuration('billing_detail')

    @classmethod
    def _get_configuration(cls, name):
        Configuration = Pool().get('coop.commons.configuration')
        return Configuration(1).get_multivalue(
            name, company=cls.default_company())

    @classmethod
    def get_invoices(cls, billings, name):
        pool = Pool()
        Line = pool.get('account.invoice.line')
        line = Line.__table__()
        cursor = Transaction().connection.cursor()
        invoices = {b.id: [] for b in billings}
        for billing in billings:
            cursor.execute(*line.select(
                    line.invoice,
                    where=(line.origin == str(billing))
                    & (line.invoice != Null),
                    group_by=line.invoice, order_by=line.invoice))
            invoices[billing.id] = [i for i, in cursor]
        return invoices

    @classmethod
    def get_charges_count(cls, billings, name):
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        return {
            b.id: Charge.search([('billing', '=', b.id)], count=True)
            for b in billings}

    @classmethod
    @ModelView.button
    @Workflow.transition('computed')
    def compute(cls, billings):
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Commitment = pool.get('coop.commons.commitment')
        Contract = pool.get('coop.commons.contract')
        Tariff = pool.get('coop.commons.tariff')
        Usage = pool.get('coop.commons.usage')
        # Two runs must not take the same charges
        cls.lock()
        Tariff.lock_approved({b.company for b in billings})
        cls.set_number(billings)
        for billing in billings:
            domain = billing.get_usage_domain()
            problems = list(Usage.try_rate(domain).values())
            # The run is logged, not each of its rows
            with Transaction().set_context(_log=False):
                for charges in search_slices(Charge, [
                            ('billing', '=', None),
                            ('usage', 'where', domain),
                            ]):
                    Charge.write(charges, {'billing': billing.id})
                commitments = Commitment.find(billing)
                contracts = Contract.find(billing)
                problems.extend(billing.leave_out(commitments, contracts))
                use_packs(billing)
                Contract.charge(contracts, billing)
                Commitment.true_up(commitments, billing)
                billing.create_invoices()
            billing.problems = '\n'.join(problems) or None
        cls.save(billings)

    def get_usage_domain(self):
        "Return the domain of the usages to bill"
        domain = [
            ('company', '=', self.company.id),
            ('date', '<=', self.end),
            ]
        if self.start:
            domain.append(['OR', ('date', '>=', self.start), self._get_late()])
        if self.for_resources:
            domain.append(
                ('resource', 'in', [r.id for r in self.for_resources]))
        if self.for_parties:
            parties = [p.id for p in self.for_parties]
            domain.append(['OR',
                    ('member.party', 'in', parties),
                    ('party', 'in', parties),
                    ])
        return domain

    def _get_late(self):
        """Return the domain of what came after its period was billed

        Late and corrected usages are charged in the next period.
        """
        billings = self.search([
                ('company', '=', self.company.id),
                ('state', '!=', 'draft'),
                ('end', '<', self.start),
                ])
        if not billings:
            return ('id', '<', 0)
        domain = [('date', '<=', max(b.end for b in billings))]
        if all(b.start for b in billings):
            domain.append(('date', '>=', min(b.start for b in billings)))
        return domain

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, billings):
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        CommitmentLine = pool.get('coop.commons.commitment.line')
        ContractLine = pool.get('coop.commons.contract.line')
        Invoice = pool.get('account.invoice')
        PackUse = pool.get('coop.commons.pack.use')
        cls.lock(billings)
        for billing in billings:
            for invoice in billing.invoices:
                if invoice.state != 'draft':
                    raise BillingError(gettext(
                            'coop_commons.msg_billing_draft_invoice',
                            billing=billing.rec_name,
                            invoice=invoice.rec_name))
            with Transaction().set_context(_log=False):
                for charges in search_slices(
                        Charge, [('billing', '=', billing.id)]):
                    Charge.write(
                        charges, {'billing': None, 'invoice_line': None})
                CommitmentLine.delete(billing.commitment_lines)
                ContractLine.delete(billing.contract_lines)
                PackUse.delete(billing.pack_uses)
            Invoice.delete(billing.invoices)

    @classmethod
    @ModelView.button
    @Workflow.transition('posted')
    @set_employee('posted_by')
    def post(cls, billings):
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Internal = pool.get('coop.commons.billing.internal')
        Invoice = pool.get('account.invoice')
        Move = pool.get('account.move')
        Pack = pool.get('coop.commons.pack')
        PackUse = pool.get('coop.commons.pack.use')
        Usage = pool.get('coop.commons.usage')
        cls.lock(billings)
        for billing in billings:
            billing.lock_sequences()
        moves, uses, internal = [], [], []
        for billing in billings:
            for invoices in grouped_slice([
                        i for i in billing.invoices
                        if i.state in {'draft', 'validated'}], SLICE):
                Invoice.post(Invoice.browse(list(invoices)))
            charges = billing.get_internal_charges()
            internal.extend(charges)
            move = billing.get_internal_move(charges)
            if move:
                moves.append(move)
                billing.move = move
            move = billing.get_pack_move()
            if move:
                moves.append(move)
                billing.pack_move = move
                uses.extend(billing.pack_uses)
            with Transaction().set_context(_log=False):
                for charges in search_slices(
                        Charge, [('billing', '=', billing.id)]):
                    Charge.set_usage_state(charges, 'rated', 'charged')
                # What costs nothing waits for nothing more
                for usages in search_slices(Usage, [
                            billing.get_usage_domain(),
                            ('state', '=', 'rated'),
                            ('charges', '=', None),
                            ]):
                    Usage.write(usages, {'state': 'charged'})
        Move.save(moves)
        Internal.save(internal)
        cls.save(billings)
        for use in uses:
            use.move = use.billing.pack_move
        for sub_uses in grouped_slice(uses, SLICE):
            PackUse.save(list(sub_uses))
        Move.post(moves)
        for billing in billings:
            Pack.pay_invoices(
                billing.company, {i.party for i in billing.invoices},
                billing.accounting_date or billing.invoice_date)
