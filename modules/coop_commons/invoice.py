# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelView, Workflow, fields
from trytond.pool import Pool, PoolMeta
from trytond.transaction import Transaction

from .digits import AMOUNT_DIGITS
from .exceptions import AddressError, AdvanceError
from .slices import search_slices

# What is invoiced before it is used
ADVANCES = {'coop.commons.deposit', 'coop.commons.pack'}


class Invoice(metaclass=PoolMeta):
    __name__ = 'account.invoice'

    @property
    def is_of_use(self):
        "Whether it invoices or credits the use of the commons"
        return any(line.is_of_use for line in self.lines)

    @property
    def is_advance(self):
        "Whether it asks for what is paid in advance"
        return bool(self.advances)

    @property
    def advances(self):
        "What is paid in advance that it asks for, or credits"
        origins = [line.use_origin for line in self.lines]
        return [o for o in origins if o and o.__name__ in ADVANCES]

    @property
    def is_on_its_way(self):
        "Whether money for it is collected already, if payments are used"
        return any(
            payment.state != 'failed'
            for line in self.lines_to_pay if not line.reconciliation
            for payment in getattr(line, 'payments', ()))

    @property
    def is_waived(self):
        "Whether something of it was written off instead of paid"
        return any(
            line.move.journal.type == 'write-off'
            for line in self.reconciliation_lines)

    @classmethod
    def find_open_use(cls, company, parties):
        "Return the invoices and credit notes of use that are not paid"
        return [
            i for i in cls.search([
                    ('company', '=', company.id),
                    ('party', 'in', [p.id for p in parties]),
                    ('type', '=', 'out'),
                    ('state', '=', 'posted'),
                    ('currency', '=', company.currency.id),
                    ], order=[('invoice_date', 'ASC'), ('id', 'ASC')])
            if i.is_of_use and not i.is_advance and not i.is_on_its_way]

    @classmethod
    def get_of_use(cls, company, party, date, currency=None, **values):
        "Return an unsaved invoice that falls due by the configured term"
        pool = Pool()
        Configuration = pool.get('account.configuration')
        Party = pool.get('party.party')
        with Transaction().set_context(company=company.id):
            party = Party(int(party))
        invoice = cls(
            company=company, type='out', party=party,
            currency=currency or company.currency, invoice_date=date,
            **values)
        invoice.on_change_type()
        if not invoice.payment_term:
            # The party may be older than the configuration
            invoice.payment_term = Configuration(1).get_multivalue(
                'default_customer_payment_term', company=company.id)
        return invoice

    @classmethod
    def credit(cls, invoices, refund=False, **values):
        if not refund:
            # What is held is given back there, else it is owed twice
            for invoice in invoices:
                for advance in invoice.advances:
                    if advance.is_held:
                        raise AdvanceError(gettext(
                                'coop_commons.msg_advance_credit',
                                invoice=invoice.rec_name,
                                document=advance.rec_name))
        return super().credit(invoices, refund=refund, **values)

    @classmethod
    def get_addressed(cls, company, party, date, currency=None):
        "Return an unsaved invoice of use, or name who has no address for it"
        invoice = cls.get_of_use(company, party, date, currency)
        if not invoice.invoice_address:
            raise AddressError(gettext(
                    'coop_commons.msg_billing_address',
                    party=invoice.party.rec_name))
        return invoice

    def get_move(self):
        if self.move or not self.is_of_use:
            return super().get_move()
        # Without a term Tryton takes today, however late it is billed
        if not self.payment_term_date:
            self.payment_term_date = self.invoice_date
        # That the day is over is nothing to ask about each of a billing
        with Transaction().set_context(_skip_warnings=True):
            return super().get_move()

    @classmethod
    @Workflow.transition('posted')
    def post_batch(cls, invoices):
        for invoice in invoices:
            if invoice.is_of_use and not invoice.payment_term_date:
                invoice.payment_term_date = invoice.invoice_date
        cls.save(invoices)
        super().post_batch(invoices)

    @classmethod
    @ModelView.button
    @Workflow.transition('cancelled')
    def cancel(cls, invoices):
        PackUse = Pool().get('coop.commons.pack.use')
        super().cancel(invoices)
        cancelled = [i for i in invoices if i.state == 'cancelled']
        cls._release_charges(cancelled)
        cls._cancel_advances(cancelled)
        PackUse.give_back(cancelled)

    @classmethod
    def _release_charges(cls, invoices):
        "Let the next billing take what is not owed any more"
        pool = Pool()
        Charge = pool.get('coop.commons.usage.charge')
        CommitmentLine = pool.get('coop.commons.commitment.line')
        ContractLine = pool.get('coop.commons.contract.line')
        if not invoices:
            return
        for Line in [CommitmentLine, ContractLine]:
            Line.delete(Line.search([
                        ('invoice_line.invoice', 'in',
                            [i.id for i in invoices]),
                        ]))
        for charges in search_slices(Charge, [
                    ('invoice_line.invoice', 'in', [i.id for i in invoices]),
                    ]):
            Charge.set_usage_state(charges, 'charged', 'rated')
            Charge.write(charges, {'billing': None, 'invoice_line': None})

    @classmethod
    def _cancel_advances(cls, invoices):
        "Cancel the packs and the deposits that are not asked for any more"
        pool = Pool()
        Deposit = pool.get('coop.commons.deposit')
        Pack = pool.get('coop.commons.pack')
        if invoices:
            Deposit.cancel(Deposit.search([
                        ('invoice_line.invoice', 'in',
                            [i.id for i in invoices]),
                        ('state', '=', 'taken'),
                        ]))
            Pack.cancel(Pack.search([
                        ('invoice_line.invoice', 'in',
                            [i.id for i in invoices]),
                        ('state', '=', 'sold'),
                        ]))


class InvoiceLine(metaclass=PoolMeta):
    __name__ = 'account.invoice.line'

    use_rounding = fields.Numeric(
        "Rounding made up for", digits=AMOUNT_DIGITS, readonly=True,
        help="What rounding has left of the same use or period when a part "
        "of it was invoiced before.")

    @property
    def is_of_use(self):
        "Whether it invoices or credits the use of the commons"
        origin = self.use_origin
        return (
            bool(origin) and origin.__name__.startswith('coop.commons.'))

    @property
    def use_origin(self):
        "What it invoices, or the line that it credits"
        origin = self.origin
        while isinstance(origin, self.__class__):
            origin = origin.origin
        return origin

    @classmethod
    def _get_origin(cls):
        return super()._get_origin() + [
            'coop.commons.billing', 'coop.commons.deposit',
            'coop.commons.pack']

    @classmethod
    def _account_domain(cls, type_):
        domain = super()._account_domain(type_)
        if type_ == 'out':
            domain = domain + [('type.deferred', '=', True)]
        return domain
