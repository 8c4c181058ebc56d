# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from typing import Any, NamedTuple

from sql import Null
from sql.aggregate import Sum
from sql.conditionals import Coalesce

from trytond import backend
from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, Unique, Workflow, fields
from trytond.model.exceptions import AccessError
from trytond.modules.company.model import employee_field, set_employee
from trytond.modules.coop_membership.agreement import BooksMixin, Difference
from trytond.modules.coop_membership.cancelled import CancelledMixin
from trytond.modules.product import price_digits
from trytond.pool import Pool
from trytond.pyson import Eval, If
from trytond.tools import grouped_slice, sqlite_apply_types
from trytond.transaction import Transaction

from .configuration import DETAILS, GROUPINGS
from .exceptions import BillingError
from .usage import QUANTITY_DIGITS, SLICE, search_slices


class _Charge(NamedTuple):
    id: int
    party: int
    currency: int
    resource: int
    sequence: int
    component: int
    audience: str
    usage: int
    start: Any
    kind: str
    band: int
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal

    def reduce(self, amount):
        "Return the charge without a part of its amount"
        rest = self.amount - amount
        if not self.amount:
            return self
        return self._replace(
            quantity=round(
                self.quantity * rest / self.amount, QUANTITY_DIGITS[1]),
            amount=rest)


class Billing(CancelledMixin, Workflow, BooksMixin, ModelSQL, ModelView):
    __name__ = 'coop.commons.billing'
    __string__ = "Commons Billing"
    _sequence = ('coop.commons.configuration', 'billing_sequence')
    _work = (('computed', 'post', 'end'),)
    _pending = {'computed': 'end'}
    _rec_name = 'number'

    _states = {
        'readonly': Eval('state') != 'draft',
        }

    number = fields.Char("Number", readonly=True)
    company = fields.Many2One(
        'company.company', "Company", required=True, states=_states)
    start = fields.Date(
        "From",
        domain=[
            If(Eval('start') & Eval('end'),
                ('start', '<=', Eval('end')),
                ()),
            ],
        states=_states,
        help="The first day of the usages, besides those that came late for "
        "the billings before.\n"
        "Leave empty for all that are not billed yet.")
    end = fields.Date(
        "To", required=True, states=_states,
        help="The last day of the usages.")
    invoice_date = fields.Date(
        "Invoice Date", required=True, states=_states,
        help="The date of the invoices, which can not be before the one of "
        "invoices that have already a number.")
    accounting_date = fields.Date(
        "Accounting Date", states=_states,
        help="The date of the accounting moves if it is another one.")
    for_resources = fields.Many2Many(
        'coop.commons.billing-coop.commons.resource', 'billing', 'resource',
        "Resources",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=_states,
        help="Leave empty for all resources.")
    for_parties = fields.Many2Many(
        'coop.commons.billing-party.party', 'billing', 'party', "Parties",
        context={
            'company': Eval('company', -1),
            },
        states=_states, depends={'company'},
        help="Leave empty for all parties and cost centres.")
    grouping = fields.Selection(
        GROUPINGS, "Invoice per", required=True, sort=False, states=_states,
        help="What has its own invoice.")
    detail = fields.Selection(
        DETAILS, "Line per", required=True, sort=False, states=_states,
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
    commitment_lines = fields.One2Many(
        'coop.commons.commitment.line', 'billing', "Commitments",
        readonly=True,
        states={
            'invisible': ~Eval('commitment_lines', []),
            })
    charges_count = fields.Function(
        fields.Integer("Charges"), 'get_charges_count')
    posted_by = employee_field("Posted by", states=['posted'])
    state = fields.Selection([
            ('draft', "Draft"),
            ('computed', "Computed"),
            ('posted', "Posted"),
            ], "State", required=True, readonly=True, sort=False)

    del _states

    @classmethod
    def __setup__(cls):
        cls.number.search_unaccented = False
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('number_unique', Unique(t, t.company, t.number),
                'coop_commons.msg_billing_number_unique'),
            ]
        cls._order = [('end', 'DESC'), ('id', 'DESC')]
        cls._transitions |= {
            ('draft', 'computed'),
            ('computed', 'draft'),
            ('computed', 'posted'),
            }
        cls._buttons.update({
                'draft': {
                    'invisible': Eval('state') != 'computed',
                    'depends': ['state'],
                    },
                'compute': {
                    'invisible': Eval('state') != 'draft',
                    'depends': ['state'],
                    },
                'post': {
                    'invisible': Eval('state') != 'computed',
                    'depends': ['state'],
                    },
                })

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

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
    def default_state(cls):
        return 'draft'

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
    def preprocess_values(cls, mode, values):
        pool = Pool()
        Configuration = pool.get('coop.commons.configuration')
        values = super().preprocess_values(mode, values)
        if mode == 'create' and not values.get('number'):
            company = values.get('company', cls.default_company())
            if company is not None:
                sequence = Configuration(1).get_multivalue(
                    'billing_sequence', company=company)
                if sequence:
                    values['number'] = sequence.get()
        return values

    @classmethod
    def copy(cls, billings, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('number')
        default.setdefault('problems')
        default.setdefault('move')
        default.setdefault('pack_move')
        default.setdefault('pack_uses')
        default.setdefault('commitment_lines')
        default.setdefault('posted_by')
        return super().copy(billings, default=default)

    @classmethod
    def check_modification(cls, mode, billings, values=None, external=False):
        super().check_modification(
            mode, billings, values=values, external=external)
        if mode == 'delete' or (mode == 'write' and external):
            for billing in billings:
                if billing.state != 'draft':
                    raise AccessError(gettext(
                            'coop_commons.msg_billing_modify',
                            billing=billing.rec_name))

    @classmethod
    @ModelView.button
    @Workflow.transition('computed')
    def compute(cls, billings):
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Commitment = pool.get('coop.commons.commitment')
        Pack = pool.get('coop.commons.pack')
        Tariff = pool.get('coop.commons.tariff')
        Usage = pool.get('coop.commons.usage')
        # Two runs must not take the same charges
        cls.lock()
        Tariff.lock_approved({b.company for b in billings})
        for billing in billings:
            domain = billing.get_usage_domain()
            errors = Usage.try_rate(domain)
            billing.problems = '\n'.join(errors.values()) or None
            # The run is logged, not each of its rows
            with Transaction().set_context(_log=False):
                for charges in search_slices(Charge, [
                            ('billing', '=', None),
                            ('usage', 'where', domain),
                            ]):
                    Charge.write(charges, {'billing': billing.id})
                Pack.cover(billing)
                Commitment.true_up(billing)
                billing.create_invoices()
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

    def create_invoices(self):
        """Create an invoice for each payer and currency

        And for each resource where they are grouped so.
        """
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        CommitmentLine = pool.get('coop.commons.commitment.line')
        Invoice = pool.get('account.invoice')
        InvoiceLine = pool.get('account.invoice.line')

        grouped = defaultdict(lambda: defaultdict(list))
        for charge in self._get_charges():
            grouped[self._get_invoice_key(
                    charge.party, charge.currency, charge.resource)][
                self._get_line_key(charge)].append(charge)
        committed = defaultdict(list)
        for line in self.commitment_lines:
            commitment = line.commitment
            committed[self._get_invoice_key(
                    commitment.member.party.id, commitment.currency.id,
                    commitment.resource and commitment.resource.id)
                ].append(line)
        invoices, lines, ids = [], [], []
        for key in sorted(grouped.keys() | committed.keys()):
            party, currency, _ = key
            invoice = self._get_invoice(party, currency)
            lang = invoice.party.lang
            invoice_lines = []
            # The names are in the language of the party
            with Transaction().set_context(
                    language=lang.code if lang else None):
                for line_key in sorted(grouped[key]):
                    charges = grouped[key][line_key]
                    line = self._get_invoice_line(invoice, charges)
                    if line:
                        invoice_lines.append(line)
                        ids.append([c.id for c in charges])
                for commitment_line in committed[key]:
                    line = commitment_line.get_invoice_line(invoice)
                    commitment_line.invoice_line = line
                    invoice_lines.append(line)
                    ids.append([])
            if invoice_lines:
                invoices.append(invoice)
                lines.extend(invoice_lines)
        for sub_invoices in grouped_slice(invoices, SLICE):
            Invoice.save(list(sub_invoices))
        for sub_lines in grouped_slice(lines, SLICE):
            InvoiceLine.save(list(sub_lines))
        Invoice.update_taxes(Invoice.browse(invoices))
        for line, line_ids in zip(lines, ids):
            for sub_ids in grouped_slice(line_ids, SLICE):
                Charge.write(
                    Charge.browse(list(sub_ids)), {'invoice_line': line.id})
        CommitmentLine.save([l for ls in committed.values() for l in ls])

    def _get_charges(self):
        """Return the charges that are invoiced as rows

        They are without what is covered by a pack.
        """
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        PackUse = pool.get('coop.commons.pack.use')
        Component = pool.get('coop.commons.tariff.component')
        Member = pool.get('coop.member')
        Tariff = pool.get('coop.commons.tariff')
        Usage = pool.get('coop.commons.usage')

        charge = Charge.__table__()
        component = Component.__table__()
        member = Member.__table__()
        tariff = Tariff.__table__()
        usage = Usage.__table__()
        cursor = Transaction().connection.cursor()
        cursor.execute(*charge
            .join(usage, condition=charge.usage == usage.id)
            .join(component, condition=charge.component == component.id)
            .join(tariff, condition=component.tariff == tariff.id)
            .join(member, 'LEFT', condition=usage.member == member.id)
            .select(
                charge.id, Coalesce(member.party, usage.party),
                tariff.currency, usage.resource,
                Coalesce(component.sequence, 0), charge.component,
                usage.audience, usage.id, usage.start, charge.kind,
                Coalesce(charge.band, -1), charge.quantity,
                charge.unit_price, charge.amount,
                where=(charge.billing == self.id)
                & (usage.cost_center == Null),
                order_by=charge.id))
        charges = [_Charge(*row) for row in cursor]
        covered = PackUse.get_covered(self)
        return [
            c.reduce(covered[c.id]) if c.id in covered else c
            for c in charges if covered.get(c.id) != c.amount]

    def _get_invoice_key(self, party, currency, resource):
        # A commitment can be for any resource
        if self.grouping != 'resource' or not resource:
            resource = 0
        return party, currency, resource

    def _get_line_key(self, charge):
        key = (
            charge.resource, charge.sequence, charge.component,
            charge.audience, charge.kind == 'subsidy')
        if self.detail == 'usage':
            key += (charge.start, charge.usage)
        elif self.detail == 'price':
            key += (charge.kind, charge.band, charge.unit_price)
        return key

    def _get_invoice(self, party, currency):
        pool = Pool()
        Currency = pool.get('currency.currency')
        Invoice = pool.get('account.invoice')
        Party = pool.get('party.party')
        with Transaction().set_context(company=self.company.id):
            party = Party(party)
        invoice = Invoice(
            company=self.company,
            type='out',
            party=party,
            currency=Currency(currency),
            invoice_date=self.invoice_date,
            accounting_date=self.accounting_date)
        invoice.on_change_type()
        if not invoice.invoice_address:
            raise BillingError(gettext(
                    'coop_commons.msg_billing_address',
                    party=party.rec_name))
        return invoice

    def _get_invoice_line(self, invoice, charges):
        pool = Pool()
        AnalyticEntry = pool.get('analytic.account.entry')
        Component = pool.get('coop.commons.tariff.component')
        Line = pool.get('account.invoice.line')
        Resource = pool.get('coop.commons.resource')

        amount = invoice.currency.round(sum(c.amount for c in charges))
        if not amount:
            return
        charge = charges[0]
        component = Component(charge.component)
        resource = Resource(charge.resource)
        product = self._get_product(component, resource, charge.audience)
        line = Line(
            invoice=invoice,
            company=invoice.company,
            currency=invoice.currency,
            type='line',
            product=product,
            origin=self,
            description=self._get_description(resource, component, charges))
        line.on_change_product()
        if charge.kind == 'subsidy':
            line.account = component.subsidy_account
        self._set_price(line, component.unit, charges, amount)
        line.analytic_accounts = []
        if resource.analytic_account:
            line.analytic_accounts = [AnalyticEntry(
                    root=resource.analytic_account.root,
                    account=resource.analytic_account)]
        return line

    def _get_product(self, component, resource, audience):
        product = component.product or resource.product
        if audience == 'non_member':
            product = resource.non_member_product or product
        if not product:
            raise BillingError(gettext(
                    'coop_commons.msg_billing_product',
                    resource=resource.rec_name))
        return product

    def _set_price(self, line, unit, charges, amount):
        "Set quantity and price if they make the amount, or 1 times it"
        prices = {
            (c.kind, c.unit_price) for c in charges if c.kind != 'included'}
        quantity = sum(c.quantity for c in charges if c.kind != 'included')
        (kind, price), *others = prices
        if kind != 'price':
            unit = None
        if unit:
            quantity = Decimal(str(unit.round(float(quantity))))
        if (others
                or round(price, price_digits[1]) != price
                or line.currency.round(quantity * price) != amount):
            quantity, unit, price = Decimal(1), None, amount
        if unit:
            if unit.category != line.unit.category:
                # The product has given the account and the taxes
                line.product = None
            line.unit = unit
        line.quantity = float(quantity)
        line.unit_price = round(price, price_digits[1])

    def _get_description(self, resource, component, charges):
        pool = Pool()
        Band = pool.get('coop.commons.tariff.band')
        Charge = pool.get('coop.commons.usage.charge')
        Lang = pool.get('ir.lang')
        lang = Lang.get()
        charge = charges[0]
        parts = [resource.rec_name, component.name]
        if self.detail == 'usage':
            local = resource.get_local(charge.start)
            parts.append('{} {}'.format(
                    lang.strftime(local.date()), local.strftime('%H:%M')))
        elif self.detail == 'price' and charge.band != -1:
            parts.append(Band(charge.band).name)
        if charge.kind == 'subsidy' or (
                self.detail == 'price' and charge.kind != 'price'):
            parts.append(Charge(charge.id).kind_string)
        quantity = sum(
            c.quantity for c in charges if c.kind in {'price', 'included'})
        if component.unit and quantity:
            digits = max(-quantity.normalize().as_tuple().exponent, 0)
            parts.append(lang.format_number_symbol(
                    quantity, component.unit, digits=min(digits, 2)))
        return ' - '.join(parts)

    @classmethod
    @ModelView.button
    @Workflow.transition('draft')
    def draft(cls, billings):
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        CommitmentLine = pool.get('coop.commons.commitment.line')
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
                PackUse.delete(billing.pack_uses)
            Invoice.delete(billing.invoices)

    @classmethod
    @ModelView.button
    @Workflow.transition('posted')
    @set_employee('posted_by')
    def post(cls, billings):
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Invoice = pool.get('account.invoice')
        Move = pool.get('account.move')
        PackUse = pool.get('coop.commons.pack.use')
        cls.lock(billings)
        for billing in billings:
            billing.lock_sequences()
        moves, uses = [], []
        for billing in billings:
            for invoices in grouped_slice([
                        i for i in billing.invoices
                        if i.state in {'draft', 'validated'}], SLICE):
                Invoice.post(Invoice.browse(list(invoices)))
            move = billing.get_internal_move()
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
        Move.save(moves)
        cls.save(billings)
        for use in uses:
            use.move = use.billing.pack_move
        for sub_uses in grouped_slice(uses, SLICE):
            PackUse.save(list(sub_uses))
        Move.post(moves)

    def lock_sequences(self):
        "Lock what the invoices and moves are numbered by before any work"
        pool = Pool()
        Period = pool.get('account.period')
        Sequence = pool.get('ir.sequence.strict')
        period = Period.find(
            self.company, date=self.accounting_date or self.invoice_date)
        Sequence.lock([period.move_sequence_used] + [
                getattr(line, name)
                for line in period.fiscalyear.invoice_sequences
                for name in ['out_invoice_sequence',
                    'out_credit_note_sequence']])

    def get_internal_move(self):
        "Return the move that charges the cost centres"
        pool = Pool()
        Account = pool.get('analytic_account.account')
        Configuration = pool.get('coop.commons.configuration')
        Period = pool.get('account.period')
        Resource = pool.get('coop.commons.resource')

        period, date = Period.find_open(
            self.company, self.accounting_date or self.invoice_date)
        amounts = self.get_internal_amounts()
        if not amounts:
            return
        configuration = Configuration(1)
        account = configuration.get_multivalue(
            'internal_charge_account', company=self.company.id)
        if not account:
            raise BillingError(gettext(
                    'coop_commons.msg_billing_internal_account',
                    company=self.company.rec_name))
        lines = []
        for (resource, cost_center), amount in sorted(amounts.items()):
            resource, cost_center = Resource(resource), Account(cost_center)
            if not resource.analytic_account:
                raise BillingError(gettext(
                        'coop_commons.msg_billing_cost_center',
                        resource=resource.rec_name))
            for analytic_account, balance in [
                    (resource.analytic_account, -amount),
                    (cost_center, amount)]:
                lines.append(self._get_move_line(
                        account, balance, date, analytic_account,
                        description=resource.rec_name))
        return self._get_move(period, date, lines)

    def get_pack_move(self):
        "Return the move by which the use of packs is earned"
        pool = Pool()
        Period = pool.get('account.period')

        period, date = Period.find_open(
            self.company, self.accounting_date or self.invoice_date)
        deferred, earned = defaultdict(Decimal), defaultdict(Decimal)
        for use in self.pack_uses:
            if not use.value:
                continue
            pack, charge = use.pack, use.charge
            usage, component = charge.usage, charge.component
            deferred[
                pack.offer.deferred_account, pack.account_party] += use.value
            product = self._get_product(
                component, usage.resource, usage.audience)
            earned[product, usage.resource.analytic_account] -= use.value
        lines = []
        for (account, party), value in deferred.items():
            lines.append(self._get_move_line(
                    account, value, date, party=party))
        for (product, center), value in earned.items():
            with Transaction().set_context(
                    company=self.company.id, date=date):
                account = product.__class__(product.id).account_revenue_used
            lines.append(self._get_move_line(account, value, date, center))
        lines = [l for l in lines if l.debit or l.credit]
        if lines:
            return self._get_move(period, date, lines)

    def _get_move(self, period, date, lines):
        pool = Pool()
        MembershipConfiguration = pool.get('coop.membership.configuration')
        Move = pool.get('account.move')
        return Move(
            company=self.company,
            journal=MembershipConfiguration(1).get_multivalue(
                'journal', company=self.company.id),
            period=period,
            date=date,
            origin=self,
            lines=lines)

    def _get_move_line(
            self, account, balance, date, analytic_account=None, party=None,
            description=None):
        pool = Pool()
        AnalyticLine = pool.get('analytic_account.line')
        Line = pool.get('account.move.line')
        amounts = {
            'debit': max(balance, Decimal(0)),
            'credit': max(-balance, Decimal(0)),
            }
        analytic_lines = []
        if analytic_account:
            analytic_lines.append(AnalyticLine(
                    account=analytic_account, date=date, **amounts))
        return Line(
            account=account,
            party=party,
            description=description,
            analytic_lines=analytic_lines,
            **amounts)

    def get_internal_amounts(self):
        "Return what is charged by the ids of resource and cost centre"
        pool = Pool()
        Currency = pool.get('currency.currency')
        Charge = pool.get('coop.commons.usage.charge')
        Component = pool.get('coop.commons.tariff.component')
        Tariff = pool.get('coop.commons.tariff')
        Usage = pool.get('coop.commons.usage')

        charge = Charge.__table__()
        component = Component.__table__()
        tariff = Tariff.__table__()
        usage = Usage.__table__()
        cursor = Transaction().connection.cursor()
        columns = [usage.resource, usage.cost_center, tariff.currency]
        query = (charge
            .join(usage, condition=charge.usage == usage.id)
            .join(component, condition=charge.component == component.id)
            .join(tariff, condition=component.tariff == tariff.id)
            .select(*columns, Sum(charge.amount).as_('amount'),
                where=(charge.billing == self.id)
                & (usage.cost_center != Null),
                group_by=columns))
        if backend.name == 'sqlite':
            sqlite_apply_types(query, [None, None, None, 'NUMERIC'])
        cursor.execute(*query)
        amounts = defaultdict(Decimal)
        with Transaction().set_context(
                date=self.accounting_date or self.invoice_date):
            for resource, cost_center, currency, amount in cursor.fetchall():
                amounts[resource, cost_center] += Currency.compute(
                    Currency(currency), amount, self.company.currency)
        return {key: amount for key, amount in amounts.items() if amount}

    @classmethod
    def check_books(cls, company, date):
        """The lines of the invoices are the sums of their charges and the
        internal move the sum of those of the cost centres"""
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        Line = pool.get('account.invoice.line')
        differences = super().check_books(company, date)
        charge = Charge.__table__()
        cursor = Transaction().connection.cursor()
        billings = cls.search([
                ('company', '=', company.id),
                ('state', '=', 'posted'),
                ('invoice_date', '<=', date),
                ], order=[('id', 'ASC')])
        for billing in billings:
            query = charge.select(
                charge.invoice_line, Sum(charge.amount).as_('amount'),
                where=(charge.billing == billing.id)
                & (charge.invoice_line != Null),
                group_by=charge.invoice_line)
            if backend.name == 'sqlite':
                sqlite_apply_types(query, [None, 'NUMERIC'])
            cursor.execute(*query)
            amounts = defaultdict(Decimal, cursor)
            for use in billing.pack_uses:
                if use.charge.invoice_line:
                    amounts[use.charge.invoice_line.id] -= use.amount
            for line in billing.commitment_lines:
                amounts[line.invoice_line.id] += line.amount
            for line in Line.search([
                        ('origin', '=', str(billing)),
                        ('invoice.state', '!=', 'cancelled'),
                        ]):
                expected = line.currency.round(
                    amounts.pop(line.id, Decimal(0)))
                if line.amount != expected:
                    differences.append(Difference(
                            line.invoice, gettext(
                                'coop_commons.msg_books_invoice_line',
                                invoice=line.invoice.rec_name,
                                line=line.rec_name),
                            expected, line.amount, line.invoice.party))
            expected = sum(map(abs, billing.get_internal_amounts().values()))
            found = sum(
                l.debit for l in billing.move.lines) if billing.move else 0
            if expected != found:
                differences.append(Difference(
                        billing.move or billing, gettext(
                            'coop_commons.msg_books_internal',
                            billing=billing.rec_name),
                        expected, found))
        return differences


class BillingResource(ModelSQL):
    __name__ = 'coop.commons.billing-coop.commons.resource'
    billing = fields.Many2One(
        'coop.commons.billing', "Billing", required=True, ondelete='CASCADE')
    resource = fields.Many2One(
        'coop.commons.resource', "Resource", required=True,
        ondelete='CASCADE')


class BillingParty(ModelSQL):
    __name__ = 'coop.commons.billing-party.party'
    billing = fields.Many2One(
        'coop.commons.billing', "Billing", required=True, ondelete='CASCADE')
    party = fields.Many2One(
        'party.party', "Party", required=True, ondelete='CASCADE')
