# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal
from unittest.mock import patch

from trytond.modules.coop_commons.intake import receive
from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction

HOUR = dt.timedelta(hours=1)
YEAR_END = dt.date(2024, 12, 31)


class ProblemTestCase(CommonsTestCase):
    "Test nothing of the commons is lost in silence"

    def _bill(self, end=YEAR_END):
        Billing = Pool().get('coop.commons.billing')
        billing = Billing(
            company=self.company, end=end, invoice_date=YEAR_END)
        billing.save()
        billing.compute([billing])
        billing.post([billing])
        return Billing(billing.id)

    def _leave(self, member, date):
        member.notice_date = member.requested_exit_date = date
        member.exit_reason = 'death'
        member.save()
        with Transaction().set_context(_skip_warnings=True):
            member.give_notice([member])
        return member.__class__(member.id)

    @with_transaction()
    def test_problems(self):
        "Test what waits for somebody is in one list, with what to do"
        pool = Pool()
        Address = pool.get('party.address')
        Booking = pool.get('coop.commons.booking')
        Problem = pool.get('coop.commons.problem')
        Resource = pool.get('coop.commons.resource')
        with self.in_company():
            member, other = self._members
            self.assertFalse(Problem.search([]))
            future = self.make('booking', 'confirmed')
            start = dt.datetime(2024, 3, 4, 7)
            with patch.object(Booking, '_now', return_value=start):
                unfinished = self.make(
                    'booking', 'confirmed', start=start, end=start + HOUR)
                finished = self.make(
                    'booking', 'done', start=start + HOUR,
                    end=start + 2 * HOUR)
            waiting, = finished.usages
            unserved = self.make(
                'booking', 'confirmed', resource=self._create_resource())
            with Transaction().set_context(_skip_warnings=True):
                Resource.write([unserved.resource], {'active': False})
            unpriced = self.make(
                'usage', 'confirmed', resource=self._create_resource())
            Address.write(list(other.party.addresses), {'active': False})
            lost = self.make('usage', 'confirmed', member=other)
            found = self.make('usage', 'confirmed', member=member)

            billing = self._bill()
            invoice, = billing.invoices
            self.assertEqual(invoice.party, member.party)
            Usage = found.__class__
            self.assertEqual(
                [Usage(u.id).state for u in [found, lost, unpriced]],
                ['charged', 'rated', 'confirmed'])
            problems = Problem.search([])
            self.assertEqual(
                {(p.kind, p.record) for p in problems}, {
                    ('unfinished', unfinished),
                    ('unserved', unserved),
                    ('quantity', waiting),
                    ('unpriced', unpriced),
                    ('address', other.party),
                    })
            self.assertNotIn(future, {p.record for p in problems})
            for problem in problems:
                self.assertTrue(problem.to_do)
                self.assertTrue(problem.record_name)
                self.assertTrue(problem.date)
                self.assertTrue(problem.party)

            # Each is solved by what is said to do
            Booking.no_show([unfinished])
            with Transaction().set_context(_skip_warnings=True):
                Booking.call_off([Booking(unserved.id)])
            Usage.confirm([Usage(waiting.id)])
            tariff = self._make_document(
                'tariff', resource=unpriced.resource)
            tariff.approve([tariff])
            Address.create([{'party': other.party.id, 'city': "Town"}])
            billing = self._bill()
            self.assertFalse(Problem.search([]))
            self.assertEqual(
                {Usage(u.id).state for u in [lost, unpriced, waiting]},
                {'charged'})

    @with_transaction()
    def test_unserved(self):
        "Test what a resource can not serve to the end is in the list"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Problem = pool.get('coop.commons.problem')
        Resource = pool.get('coop.commons.resource')
        start = dt.datetime(2024, 3, 4, 7)
        day = 24 * HOUR
        with self.in_company():
            whole = self._create_resource()
            part = self._create_resource()
            part.parent = whole
            part.save()
            with patch.object(Booking, '_now', return_value=start):
                # Until the fifth, and from the fifth on
                hit = [
                    self.make('booking', 'confirmed', resource=r, start=s,
                        end=start + 3 * day)
                    for r, s in [
                        (self._resource, start + HOUR), (part, start + day)]]
                self.make(
                    'booking', 'confirmed', resource=part,
                    start=start + HOUR, end=start + 2 * HOUR)
                self.assertFalse(Problem.search([]))
                with Transaction().set_context(_skip_warnings=True):
                    for resource in [self._resource, whole]:
                        Resource.write(
                            [Resource(resource.id)],
                            {'end_date': start.date()})
                self.assertEqual(
                    {(p.kind, p.record) for p in Problem.search([])},
                    {('unserved', b) for b in hit})

    @with_transaction()
    def test_draft(self):
        "Test a use that nobody confirms is in the list"
        Problem = Pool().get('coop.commons.problem')
        with self.in_company():
            usage = self.make('usage', 'draft')
            problem, = Problem.search([])
            self.assertEqual(
                (problem.kind, problem.record, problem.party),
                ('draft', usage, usage.member.party))
            self.assertTrue(problem.to_do)
            usage.confirm([usage])
            self.assertFalse(Problem.search([]))

    @with_transaction()
    def test_waits(self):
        "Test an event without its kilometres leaves the booking waiting"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Problem = pool.get('coop.commons.problem')
        Quantity = pool.get('coop.commons.usage.quantity')
        Usage = pool.get('coop.commons.usage')
        start = dt.datetime(2024, 3, 4, 7)
        with self.in_company():
            with patch.object(Booking, '_now', return_value=start + HOUR):
                booking = self.make(
                    'booking', 'done', start=start, end=start + 2 * HOUR)
            event = {
                'external_id': '1', 'booking': booking.number,
                'start': '2024-03-04T07:00', 'end': '2024-03-04T09:00'}

            def send(**values):
                result, = receive(
                    self.company, [{**event, **values}], 'door')
                return result['status'], result.get('reason', '')

            def get_waiting():
                return [
                    p.record for p in Problem.search([])
                    if p.kind == 'quantity']

            waiting, = booking.usages
            self.assertEqual(get_waiting(), [waiting])
            status, reason = send()
            self.assertEqual(status, 'created')
            self.assertIn(self._km.name, reason)
            self.assertEqual(Usage(waiting.id).state, 'cancelled')
            usage, = Booking(booking.id).uses
            self.assertEqual(usage.external_id, '1')
            self.assertEqual(get_waiting(), [usage])
            self.assertFalse(self._bill().invoices)

            # 2 hours at 10 and 12 kilometres at 1
            usage.quantities = [
                *usage.quantities,
                Quantity(unit=self._km, quantity=Decimal(12))]
            usage.save()
            self.assertEqual(send(), ('exists', ''))
            Usage.confirm([usage])
            self.assertEqual(send(), ('exists', ''))
            self.assertFalse(get_waiting())
            invoice, = self._bill().invoices
            self.assertEqual(invoice.untaxed_amount, Decimal('32.00'))
            # With them it waits for nothing
            status, reason = send(
                external_id='2', start='2024-03-04T09:00',
                end='2024-03-04T10:00', quantities={'km': 5})
            self.assertEqual((status, reason), ('created', ''))
            invoice, = self._bill().invoices
            self.assertEqual(invoice.untaxed_amount, Decimal('15.00'))

    @with_transaction()
    def test_waits_alone(self):
        "Test an event of no booking waits for what its tariff counts"
        pool = Pool()
        Component = pool.get('coop.commons.tariff.component')
        Meter = pool.get('coop.commons.meter')
        Problem = pool.get('coop.commons.problem')
        Quantity = pool.get('coop.commons.usage.quantity')
        Tariff = pool.get('coop.commons.tariff')
        Usage = pool.get('coop.commons.usage')
        with self.in_company():
            member, _ = self._members
            member.number = 'M1'
            member.save()
            priced, metered, by_hour, free = resources = [
                self._create_resource() for _ in range(4)]
            for resource in resources[:2]:
                Tariff.approve(
                    [self._make_document('tariff', resource=resource)])
            Tariff.approve([self._make_document(
                        'tariff', resource=by_hour, components=[Component(
                                name="Hours", kind='time', unit=self._hour,
                                unit_price=Decimal(2))])])
            Meter(
                name="Odometer", company=self.company, resource=metered,
                unit=self._km).save()
            for resource in resources:
                resource.code = resource.name
                resource.save()

            def send(id_, resource, **values):
                result, = receive(self.company, [{
                            'external_id': id_, 'resource': resource.code,
                            'member': 'M1', 'start': '2024-03-04T07:00',
                            **values}], 'door')
                return result['status'], result.get('reason', '')

            def get_kinds():
                return {
                    p.record.external_id: p.kind for p in Problem.search([])}

            end = {'end': '2024-03-04T09:00'}
            for id_, resource, values, unit in [
                    ('km', priced, end, self._km),
                    ('h', priced, {
                            'start': '2024-03-05T07:00',
                            'quantities': {'km': 3}}, self._hour),
                    ('both', priced, {
                            'start': '2024-03-06T07:00',
                            'end': '2024-03-06T09:00',
                            'quantities': {'km': 0}}, None),
                    ('metered', metered, end, None),
                    ('hours', by_hour, end, None),
                    # It waits for its price
                    ('free', free, end, None)]:
                with self.subTest(id_):
                    status, reason = send(id_, resource, **values)
                    self.assertEqual(status, 'created')
                    self.assertEqual(bool(reason), bool(unit))
                    if unit:
                        self.assertIn(unit.name, reason)
                        self.assertEqual(get_kinds()[id_], 'quantity')
            usages = {u.external_id: u for u in Usage.search([])}
            self.assertEqual(
                {i for i, u in usages.items() if u.state == 'draft'},
                {'km', 'h'})
            # 2 hours at 10, 10 and 2, what waits is not billed
            invoice, = self._bill().invoices
            self.assertEqual(invoice.untaxed_amount, Decimal('44.00'))
            self.assertEqual(
                get_kinds(),
                {'km': 'quantity', 'h': 'quantity', 'free': 'unpriced'})

            usages['km'].quantities = [
                *usages['km'].quantities,
                Quantity(unit=self._km, quantity=Decimal(12))]
            usages['km'].save()
            usages['h'].end = usages['h'].start + HOUR
            usages['h'].save()
            # It is only to be confirmed
            self.assertEqual(
                get_kinds(),
                {'km': 'draft', 'h': 'draft', 'free': 'unpriced'})
            Usage.confirm([usages['km'], usages['h']])
            self.assertEqual(send('km', priced, **end), ('exists', ''))
            self.assertEqual(
                send('h', priced, start='2024-03-05T07:00',
                    quantities={'km': 3}), ('exists', ''))
            # 2 hours at 10 and 12 km, an hour and 3 km
            invoice, = self._bill().invoices
            self.assertEqual(invoice.untaxed_amount, Decimal('45.00'))

    @with_transaction()
    def test_taken_back(self):
        "Test nobody asks for the price of what is taken back"
        Problem = Pool().get('coop.commons.problem')
        with self.in_company():
            usage = self.make(
                'usage', 'confirmed', resource=self._create_resource())
            self.assertTrue(self._bill().problems)
            self.assertEqual(len(Problem.search([])), 1)
            ids = usage.take_back([usage])['res_id']
            _, copy = usage.browse(ids)
            usage.delete([copy])
            self.assertFalse(self._bill().problems)
            self.assertFalse(Problem.search([]))

    @with_transaction()
    def test_gap(self):
        "Test what was metered and is nobody's is in the list until it is"
        pool = Pool()
        Problem = pool.get('coop.commons.problem')
        Reading = pool.get('coop.commons.reading')
        with self.in_company():
            member, _ = self._members
            first = self.make('reading', 'done')
            reading = self._make_document(
                'reading', meter=first.meter, time=first.time + HOUR,
                kind='start', value=first.value + 30, member=None)
            Reading.do([reading])
            self.assertEqual(
                [(p.kind, p.record, p.resource, p.date)
                    for p in Problem.search([])],
                [('gap', reading, self._resource, reading.time.date())])
            correction = Reading(
                Reading.correct([Reading(reading.id)])['res_id'][0])
            self.assertEqual(
                {(p.kind, p.record) for p in Problem.search([])},
                {('gap', reading), ('correction', correction)})
            self.assertTrue(all(p.to_do for p in Problem.search([])))
            correction.kind = 'end'
            correction.member = member
            correction.save()
            Reading.do([correction])
            self.assertFalse(Problem.search([]))
            quantity, = [
                q for q in Reading(correction.id).usage.quantities
                if q.unit == self._km]
            self.assertEqual(quantity.quantity, Decimal(30))

    @with_transaction()
    def test_exit_blockers(self):
        "Test the exit names what is open of the use of the commons"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        Member = pool.get('coop.member')
        with self.in_company():
            _, member = self._members
            self.assertFalse(Member.exit_blockers([member])[member])
            booking = self.make('booking', 'confirmed', member=member)
            usage = self.make('usage', 'confirmed', member=member)
            pack = self.make('pack', 'sold')
            commitment = self.make('commitment', 'confirmed', period='year')
            member = self._leave(member, dt.date(2024, 6, 30))
            invoice = pack.invoice_line.invoice
            Invoice.post([invoice])

            def get_blockers():
                return Member.exit_blockers([Member(member.id)])[member]

            def assert_named(*records):
                blockers = get_blockers()
                self.assertEqual(len(blockers), len(records), blockers)
                for blocker, record in zip(blockers, records):
                    self.assertIn(record.rec_name, blocker)

            assert_named(invoice, booking, usage, pack, commitment)
            booking.__class__.call_off([booking])
            assert_named(invoice, usage, pack, commitment)
            billing = self._bill()
            # The pack covers the hour, and of the minimum of 10.00 the
            # first half of the year counts, of which 5.00 were charged
            invoices = list(billing.invoices)
            self.assertFalse(
                [b for b in get_blockers() if usage.rec_name in b])
            self.assertFalse(
                [b for b in get_blockers() if commitment.rec_name in b])
            assert_named(*sorted(
                    [invoice, *invoices], key=lambda i: i.invoice_date), pack)
            commitment = commitment.__class__(commitment.id)
            self.assertFalse(commitment.valid_until)
            commitment.end_with_exit([Member(member.id)])
            self.assertEqual(
                commitment.__class__(commitment.id).valid_until,
                dt.date(2024, 6, 30))

    @with_transaction()
    def test_commitment_exit(self):
        "Test a commitment ends with the exit instead of running on"
        with self.in_company():
            _, member = self._members
            self.make(
                'commitment', 'confirmed', minimum=Decimal(366),
                period='year')
            self._leave(member, dt.date(2024, 6, 30))
            # 182 of the 366 days
            invoice, = self._bill().invoices
            self.assertEqual(invoice.untaxed_amount, Decimal('182.00'))
