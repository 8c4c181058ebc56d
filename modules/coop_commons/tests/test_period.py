# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
# The first is a Monday
FIRST = dt.datetime(2024, 1, 1)

# The rules that look beyond one use, each with a price of whole cents
RULES = {
    'included': [{
            'unit_price': 10, 'included': 5, 'included_per': 'month',
            'evening': 4}],
    'included a day': [{
            'unit_price': 10, 'included': 2, 'included_per': 'day'}],
    'minimum': [{
            'unit_price': 10, 'minimum': 25, 'included': 3,
            'included_per': 'week'}],
    'graduated': [{
            'pricing': 'graduated', 'tier_per': 'month',
            'tiers': [(4, 10, 3), (9, 7, 0), (None, 2, 1)]}],
    'volume': [{
            'pricing': 'volume', 'tier_per': 'week',
            'tiers': [(6, 10, 0), (None, 6, 5)]}],
    'package': [{
            'pricing': 'package', 'tier_per': 'month', 'package': 4,
            'unit_price': 25}],
    'cap': [{'unit_price': 10, 'cap': 35, 'cap_per': 'day', 'evening': 4}],
    'cap a year': [{'unit_price': 10, 'cap': 90, 'cap_per': 'year'}],
    'subsidy': [{
            'unit_price': 10, 'subsidy': Decimal('0.5'), 'cap': 60,
            'cap_per': 'week'}],
    # Its prices are no whole cents
    'included a year': [{
            'unit_price': Decimal('0.337'), 'included': 3,
            'included_per': 'year'}],
    'lowest price': [
        {'unit_price': 6},
        {'unit_price': 10, 'included': 4, 'included_per': 'week'},
        {'unit_price': 9, 'cap': 40, 'cap_per': 'month'},
        ],
    }


class PeriodTestCase(CommonsTestCase):
    "Test what the uses of a period cost together"

    def _create_tariffs(self, plans):
        "Return a new resource that is charged by the plans"
        pool = Pool()
        Account = pool.get('account.account')
        Band = pool.get('coop.commons.tariff.band')
        Component = pool.get('coop.commons.tariff.component')
        Tariff = pool.get('coop.commons.tariff')
        Tier = pool.get('coop.commons.tariff.tier')
        account, = Account.search([
                ('company', '=', self.company.id),
                ('type.revenue', '=', True),
                ('closed', '!=', True),
                ], limit=1)
        resource = self._create_resource()
        for plan in plans:
            plan = dict(plan)
            evening = plan.pop('evening', None)
            tiers = plan.pop('tiers', [])
            values = {
                k: Decimal(v) if isinstance(v, int) else v
                for k, v in plan.items()}
            component = Component(
                name="Hours", kind='time', unit=self._hour, **values)
            if 'subsidy' in values:
                component.subsidy_account = account
            if tiers:
                component.tiers = [
                    Tier(up_to=u, unit_price=Decimal(p), flat=Decimal(f))
                    for u, p, f in tiers]
            if evening:
                component.bands = [Band(
                        name="Evening", unit_price=Decimal(evening),
                        start=dt.time(18), end=dt.time(0))]
            tariff = self._make_document(
                'tariff', resource=resource, components=[component],
                lowest_price=len(plans) > 1)
            Tariff.approve([tariff])
        return resource

    def _use(self, resource, member, start, hours):
        usage = self._make_document(
            'usage', resource=resource, member=member, start=start,
            end=start + hours * HOUR, quantities=[])
        usage.confirm([usage])
        return usage

    def _take_back(self, usage):
        ids = usage.take_back([usage])['res_id']
        negative, copy = usage.browse(ids)
        usage.delete([copy])
        return negative

    def _bill(self, resource, member=None, end=None):
        "Bill the use of the resource and return what is invoiced"
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        billing = Billing(
            company=self.company, end=end or dt.date(2024, 12, 30),
            invoice_date=dt.date(2024, 12, 31), for_resources=[resource])
        if member:
            billing.for_parties = [member.party]
        billing.save()
        billing.compute([billing])
        billing.post([billing])
        self.assertFalse(billing.problems)
        return sum(
            (i.untaxed_amount for i in Billing(billing.id).invoices),
            Decimal(0))

    @with_transaction()
    def test_take_back(self):
        "Test a free use that is taken back makes the next one free"
        with self.in_company():
            member, _ = self._members
            resource = self._create_tariffs(RULES['included'])
            day = self._use(
                resource, member, FIRST.replace(hour=10), 5)
            self._use(resource, member, FIRST.replace(hour=18), 5)
            self.assertEqual(self._bill(resource), Decimal('20.00'))
            self._take_back(day)
            self.assertEqual(self._bill(resource), Decimal('-20.00'))
            self.assertEqual(self._bill(resource), 0)

    @with_transaction()
    def test_late(self):
        "Test a use that comes late is priced where it happened"
        with self.in_company():
            member, _ = self._members
            resource = self._create_tariffs(RULES['included'])
            evening = self._use(
                resource, member, FIRST.replace(hour=18), 5)
            self.assertEqual(self._bill(resource), 0)
            # Its five hours are free and those of the evening are not
            day = self._use(resource, member, FIRST.replace(hour=10), 5)
            self.assertEqual(self._bill(resource), Decimal('20.00'))
            Usage = evening.__class__
            self.assertEqual(Usage(day.id).amount, 0)
            self.assertEqual(Usage(evening.id).amount, Decimal('20.00'))
            self.assertEqual(
                [Usage(u.id).state for u in [day, evening]],
                ['charged'] * 2)

    @with_transaction()
    def test_taken_back_at_once(self):
        "Test a use that is taken back before it is billed counts for nothing"
        with self.in_company():
            member, _ = self._members
            resource = self._create_tariffs(RULES['included'])
            day = self._use(resource, member, FIRST.replace(hour=10), 5)
            negative = self._take_back(day)
            self._use(resource, member, FIRST.replace(hour=18), 5)
            self.assertEqual(self._bill(resource), 0)
            Usage = day.__class__
            self.assertEqual(
                {Usage(u.id).state for u in [day, negative]}, {'charged'})

    @with_transaction()
    def test_pack(self):
        "Test a pack covers what is charged in the end"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        Pack = pool.get('coop.commons.pack')
        with self.in_company():
            _, member = self._members
            self._resource = resource = self._create_tariffs(
                RULES['included'])
            pack = self.make('pack', 'sold')
            Invoice.post([pack.invoice_line.invoice])

            def assert_remaining(quantity, balance):
                found = Pack(pack.id)
                self.assertEqual(
                    (found.remaining, found.balance),
                    (Decimal(quantity), Decimal(balance)))

            self._use(resource, member, FIRST.replace(hour=18), 5)
            self.assertEqual(self._bill(resource), 0)
            assert_remaining(10, '80.00')
            day = self._use(resource, member, FIRST.replace(hour=10), 5)
            self.assertEqual(self._bill(resource), 0)
            assert_remaining(5, '40.00')
            self._take_back(day)
            self.assertEqual(self._bill(resource), 0)
            assert_remaining(10, '80.00')
            # Two hours of the day and the evening are beyond the pack
            self._use(resource, member, FIRST.replace(hour=0), 17)
            self.assertEqual(self._bill(resource), Decimal('40.00'))
            assert_remaining(0, '0.00')

    @with_transaction()
    def test_new_tariff(self):
        "Test a tariff of later does not change what is charged"
        pool = Pool()
        Tariff = pool.get('coop.commons.tariff')
        with self.in_company():
            member, _ = self._members
            resource = self._create_tariffs(RULES['included'])
            self._use(resource, member, FIRST, 7)
            self.assertEqual(self._bill(resource), Decimal('20.00'))
            tariff = self._make_document(
                'tariff', resource=resource, valid_from=dt.date(2024, 1, 10))
            Tariff.approve([tariff])
            self._use(resource, member, FIRST + DAY, 1)
            self.assertEqual(self._bill(resource), Decimal('10.00'))

    @with_transaction()
    def test_charge_mode(self):
        "Test what is priced again is charged by the time it was charged by"
        pool = Pool()
        Booking = pool.get('coop.commons.booking')
        Resource = pool.get('coop.commons.resource')
        Usage = pool.get('coop.commons.usage')
        with self.in_company():
            member, _ = self._members
            resource = self._create_tariffs(RULES['included'])
            resource.other_units = []
            resource.charge_mode = 'reservation'
            resource.save()
            start = FIRST.replace(hour=8)
            booking = self.make(
                'booking', 'confirmed', resource=resource, start=start,
                end=start + 8 * HOUR)
            booking.used_from, booking.used_until = start, start + 2 * HOUR
            booking.save()
            Booking.finish([booking])
            usage, = Booking(booking.id).usages
            # Of 8 hours that are reserved 5 are free
            self.assertEqual(self._bill(resource), Decimal('30.00'))
            Resource.write([resource], {'charge_mode': 'usage'})
            self._use(resource, member, start + DAY, 2)
            self.assertEqual(self._bill(resource), Decimal('20.00'))
            # The right row of it too
            ids = Usage.take_back([Usage(usage.id)])['res_id']
            _, copy = Usage.browse(ids)
            self.assertEqual(copy.charge_mode, 'reservation')
            Usage.confirm([copy])
            self.assertEqual(self._bill(resource), 0)
            # But what happens from now on
            other = self.make(
                'booking', 'confirmed', resource=resource,
                start=start + 2 * DAY, end=start + 2 * DAY + 8 * HOUR)
            other.used_from = start + 2 * DAY
            other.used_until = other.used_from + 2 * HOUR
            other.save()
            Booking.finish([other])
            self.assertEqual(self._bill(resource), Decimal('20.00'))

    @with_transaction()
    def test_rounding(self):
        "Test what is invoiced in total is the rounded price of the whole"
        Billing = Pool().get('coop.commons.billing')
        with self.in_company():
            member, _ = self._members
            resource = self._create_tariffs(
                [{'unit_price': Decimal('0.337')}])
            usages = [
                self._use(resource, member, FIRST + days * DAY, 1)
                for days in range(3)]
            # 1.011, 0.674, 0.337 and nothing
            totals = ['1.01', '0.67', '0.34', '0.00']
            charged = Decimal(0)
            for usage, total in zip([None, *usages], totals):
                if usage:
                    self._take_back(usage)
                charged += self._bill(resource)
                self.assertEqual(charged, Decimal(total))
            # Another use is another price
            for days in range(10, 12):
                self._use(resource, member, FIRST + days * DAY, 1)
                self.assertEqual(self._bill(resource), Decimal('0.34'))
            self.assertFalse(Billing.check_books(
                    self.company, dt.date(2024, 12, 31)))

    @with_transaction()
    def test_sequences(self):
        """Test any order of uses, corrections and billings costs what the
        remaining uses cost if they are billed at once"""
        use = st.tuples(
            st.integers(0, 40), st.integers(0, 23), st.integers(1, 7))
        steps = st.one_of(
            use, use, st.just('take_back'), st.integers(5, 45))
        with self.in_company():
            for rule, plans in RULES.items():
                with self.subTest(rule=rule):
                    self._check_rule(plans, steps)

    def _check_rule(self, plans, steps):
        @settings(
            max_examples=2, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate])
        @given(
            st.lists(steps, min_size=8, max_size=10),
            st.randoms(use_true_random=False))
        def check(steps, random):
            self._check_sequence(plans, steps, random)
        check()

    def _check_sequence(self, plans, steps, random):
        Usage = Pool().get('coop.commons.usage')
        member, other = self._members
        resource = self._create_tariffs(plans)
        resource.bookable = False
        resource.save()
        remaining, total = {}, Decimal(0)
        for step in steps:
            if isinstance(step, tuple):
                days, hour, hours = step
                start = FIRST + days * DAY + hour * HOUR
                usage = self._use(resource, member, start, hours)
                remaining[usage.id] = start, hours
            elif step == 'take_back':
                if remaining:
                    id_ = random.choice(sorted(remaining))
                    self._take_back(Usage(id_))
                    del remaining[id_]
            else:
                total += self._bill(
                    resource, member, FIRST.date() + step * DAY)
        total += self._bill(resource, member)
        for start, hours in sorted(remaining.values()):
            self._use(resource, other, start, hours)
        self.assertEqual(total, self._bill(resource, other))
        self.assertFalse(Usage.search([
                    ('resource', '=', resource.id),
                    ('state', '!=', 'charged'),
                    ]))
