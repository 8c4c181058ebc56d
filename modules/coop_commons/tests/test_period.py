# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from hypothesis import (
    HealthCheck, Phase, assume, given, seed, settings, strategies as st)

from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
# The first is a Monday
FIRST = dt.datetime(2024, 1, 1)
# The clock changes in Europe on 31 March and in Australia on 7 April
SPRING = dt.datetime(2024, 3, 25)
ZONES = ['UTC', 'Europe/Berlin', 'Australia/Sydney']

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

    def _create_tariffs(self, plans, audience='member', **values):
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
        for name, value in values.items():
            setattr(resource, name, value)
        resource.save()
        categories = [self._category] if audience == 'member' else []
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
                audience=audience, member_categories=categories,
                lowest_price=len(plans) > 1)
            Tariff.approve([tariff])
        return resource

    def _create_cost_centers(self):
        "Return the cost centre of resources and two that use them"
        pool = Pool()
        Account = pool.get('account.account')
        Analytic = pool.get('analytic_account.account')
        Configuration = pool.get('coop.commons.configuration')
        account, = Account.search([
                ('company', '=', self.company.id),
                ('type.expense', '=', True),
                ('closed', '!=', True),
                ], limit=1)
        Configuration(1).set_multivalue(
            'internal_charge_account', account, company=self.company.id)
        root = Analytic(name="Root", type='root', company=self.company)
        root.save()
        centers = [
            Analytic(
                name=f"Centre {i}", type='normal', company=self.company,
                root=root, parent=root)
            for i in range(3)]
        Analytic.save(centers)
        return centers

    def _use(self, resource, user, start, hours, seats=1):
        is_member = user.__name__ == 'coop.member'
        usage = self._make_document(
            'usage', resource=resource, start=start,
            end=start + hours * HOUR, seats=seats, quantities=[],
            member=user if is_member else None,
            cost_center=None if is_member else user)
        usage.confirm([usage])
        return usage

    def _take_back(self, usage):
        ids = usage.take_back([usage])['res_id']
        negative, copy = usage.browse(ids)
        usage.delete([copy])
        return negative

    def _sell_packs(self, resource):
        "Return a pack of ten hours at 80.00 for each of the members"
        pool = Pool()
        Invoice = pool.get('account.invoice')
        Pack = pool.get('coop.commons.pack')
        self._resource = resource
        packs = [
            self._make_document('pack', party=m.party) for m in self._members]
        Pack.sell(packs)
        Invoice.post([p.invoice_line.invoice for p in packs])
        return packs

    def _get_left(self, pack):
        pack = pack.__class__(pack.id)
        return pack.remaining, pack.balance

    def _bill(self, resource, user=None, end=None):
        """Bill the use of the resource and return what is invoiced

        Or what the cost centre is charged.
        """
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        billing = Billing(
            company=self.company, end=end or dt.date(2024, 12, 30),
            invoice_date=dt.date(2024, 12, 31), for_resources=[resource])
        is_center = user and user.__name__ != 'coop.member'
        if user and not is_center:
            billing.for_parties = [user.party]
        billing.save()
        billing.compute([billing])
        billing.post([billing])
        self.assertFalse(billing.problems)
        billing = Billing(billing.id)
        if is_center:
            return sum((
                    a.debit - a.credit
                    for l in (billing.move.lines if billing.move else [])
                    for a in l.analytic_lines if a.account == user),
                Decimal(0))
        return sum(
            (i.untaxed_amount for i in billing.invoices), Decimal(0))

    def _check_books(self):
        pool = Pool()
        for name in ['billing', 'pack']:
            Model = pool.get(f'coop.commons.{name}')
            self.assertFalse(Model.check_books(
                    self.company, dt.date(2024, 12, 31)))

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
    def test_cost_center(self):
        "Test a cost centre is charged the rounded price of the whole"
        with self.in_company():
            center, first, second = self._create_cost_centers()

            def create(plans):
                return self._create_tariffs(
                    plans, audience='internal', bookable=False,
                    analytic_account=center)

            # Three of the hours are included, four cost 1.348
            resource = create(RULES['included a year'])
            for days, (hours, amount) in enumerate([
                        (4, '0.34'), (1, '0.33'), (1, '0.34'), (1, '0.34')]):
                self._use(resource, first, FIRST + days * DAY, hours)
                self.assertEqual(
                    self._bill(resource, first), Decimal(amount))
            for days, hours in enumerate([4, 1, 1, 1]):
                self._use(resource, second, FIRST + days * DAY, hours)
            self.assertEqual(
                self._bill(resource, second), Decimal('1.35'))

            # What is taken back leaves nothing
            resource = create([{'unit_price': Decimal('0.337')}])
            usages = [
                self._use(resource, first, FIRST + days * DAY, 1)
                for days in range(3)]
            charged = self._bill(resource, first)
            self.assertEqual(charged, Decimal('1.01'))
            for usage, total in zip(usages, ['0.67', '0.34', '0.00']):
                self._take_back(usage)
                charged += self._bill(resource, first)
                self.assertEqual(charged, Decimal(total))
            self._check_books()

    @with_transaction()
    def test_pack_order(self):
        "Test a pack covers what happened first, however it is billed"
        with self.in_company():
            one, two = self._members
            resource = self._create_tariffs(
                [{'unit_price': 10, 'evening': 4}], bookable=False)
            first, second = self._sell_packs(resource)

            # The pack covers ten hours of the first day
            day = self._use(resource, one, FIRST, 10)
            self._use(resource, one, FIRST + DAY, 5)
            self.assertEqual(self._bill(resource, one), Decimal('50.00'))
            self.assertEqual(self._get_left(first), (0, 0))
            # They are free for the five hours of the second
            self._take_back(day)
            self.assertEqual(self._bill(resource, one), Decimal('-50.00'))
            self.assertEqual(self._get_left(first), (5, Decimal('40.00')))
            # And for what happened before and comes late
            self._use(resource, one, FIRST - HOUR + DAY, 1)
            self.assertEqual(self._bill(resource, one), 0)
            self._use(resource, one, FIRST + 10 * HOUR, 7)
            self.assertEqual(self._bill(resource, one), Decimal('30.00'))
            self.assertEqual(self._get_left(first), (0, 0))

            # By what it costs when it is billed at once
            for start, hours in [
                    (FIRST + DAY, 5), (FIRST + 23 * HOUR, 1),
                    (FIRST + 10 * HOUR, 7)]:
                self._use(resource, two, start, hours)
            self.assertEqual(self._bill(resource, two), Decimal('30.00'))
            self.assertEqual(self._get_left(second), (0, 0))
            self._check_books()

    @with_transaction()
    def test_pack_late(self):
        "Test a pack covers what was billed before it was sold"
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        with self.in_company():
            one, two = self._members
            resource = self._create_tariffs(
                [{'unit_price': 10}], bookable=False)
            for member in [one, two]:
                self._use(resource, member, FIRST, 6)
            billing = Billing(
                company=self.company, end=FIRST.date(),
                invoice_date=FIRST.date(), for_resources=[resource])
            billing.save()
            billing.compute([billing])
            billing.post([billing])
            self.assertEqual(
                [i.untaxed_amount for i in Billing(billing.id).invoices],
                [Decimal('60.00')] * 2)
            # Both are dated on the day of the use
            first, second = self._sell_packs(resource)
            # Who uses nothing more gets it back too
            self._use(resource, two, FIRST + DAY, 5)
            self.assertEqual(self._bill(resource, one), Decimal('-60.00'))
            self.assertEqual(self._get_left(first), (4, Decimal('32.00')))
            self.assertEqual(self._get_left(second), (10, Decimal('80.00')))
            # 11 hours, of which 10 are covered and 6 are charged
            self.assertEqual(self._bill(resource, two), Decimal('-50.00'))
            self.assertEqual(self._get_left(second), (0, 0))
            # Once
            self.assertEqual(self._bill(resource), 0)
            self._check_books()

    @with_transaction()
    def test_pack_draft(self):
        "Test a billing that is undone leaves the packs as they were"
        pool = Pool()
        Billing = pool.get('coop.commons.billing')
        with self.in_company():
            member, _ = self._members
            resource = self._create_tariffs(
                [{'unit_price': 10}], bookable=False)
            pack, _ = self._sell_packs(resource)
            day = self._use(resource, member, FIRST, 10)
            self._use(resource, member, FIRST + DAY, 5)
            self.assertEqual(self._bill(resource), Decimal('50.00'))
            self._take_back(day)
            billing = Billing(
                company=self.company, end=dt.date(2024, 12, 30),
                invoice_date=dt.date(2024, 12, 31))
            billing.save()
            for _ in range(2):
                billing.compute([billing])
                invoice, = Billing(billing.id).invoices
                self.assertEqual(invoice.untaxed_amount, Decimal('-50.00'))
                line, = invoice.lines
                self.assertEqual(
                    (line.quantity, line.unit_price), (-5, 10))
                self.assertEqual(
                    self._get_left(pack), (5, Decimal('40.00')))
                billing.draft([Billing(billing.id)])
                self.assertEqual(self._get_left(pack), (0, 0))
            self.assertEqual(self._bill(resource), Decimal('-50.00'))
            self._check_books()

    @with_transaction()
    def test_sequences(self):
        """Test any order of uses, corrections and billings costs what the
        remaining uses cost if they are billed at once"""
        with self.in_company():
            center, *centers = self._create_cost_centers()
            prepared = []
            kinds = [
                (rule, plans, kind)
                for index, (rule, plans) in enumerate(RULES.items())
                for kind in [['member'], ['pack'], ['member', 'center']][
                    index % 3]]
            for index, (rule, plans, kind) in enumerate(kinds):
                per = ['item', 'item', 'booking'][index % 3]
                zone = ZONES[index % 4 % 3]
                resource = self._create_tariffs(
                    [{**p, 'per': per} for p in plans],
                    audience='internal' if kind == 'center' else 'member',
                    analytic_account=center if kind == 'center' else None,
                    bookable=False, capacity=3, timezone=zone)
                # Before anything is invoiced at a later date
                packs = self._sell_packs(resource) if kind == 'pack' else []
                prepared.append((
                        (rule, kind, per, zone), resource,
                        centers if kind == 'center' else self._members,
                        packs))
            for index, (name, *values) in enumerate(prepared):
                with self.subTest(name=name):
                    self._check_rule(index, *values)
            self._check_books()

    def _check_rule(self, index, resource, users, packs):
        use = st.tuples(
            st.integers(0, 25), st.integers(0, 23), st.integers(1, 7),
            st.integers(1, 3))
        steps = st.one_of(
            use, use, st.just('take_back'), st.integers(5, 30))

        @seed(index)
        @settings(
            max_examples=1, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate])
        @given(
            st.lists(steps, min_size=7, max_size=9),
            st.randoms(use_true_random=False))
        def check(steps, random):
            # Else it is billed at once
            assume(any(isinstance(s, int) for s in steps[1:]))
            self._check_sequence(resource, users, packs, steps, random)
        check()

    def _check_sequence(self, resource, users, packs, steps, random):
        Usage = Pool().get('coop.commons.usage')
        user, other = users
        remaining, total = {}, Decimal(0)
        for step in steps:
            if isinstance(step, tuple):
                days, hour, hours, seats = step
                start = SPRING + days * DAY + hour * HOUR
                usage = self._use(resource, user, start, hours, seats)
                remaining[usage.id] = start, hours, seats
            elif step == 'take_back':
                if remaining:
                    id_ = random.choice(sorted(remaining))
                    self._take_back(Usage(id_))
                    del remaining[id_]
            else:
                total += self._bill(
                    resource, user, SPRING.date() + step * DAY)
        total += self._bill(resource, user)
        for values in sorted(remaining.values()):
            self._use(resource, other, *values)
        self.assertEqual(total, self._bill(resource, other))
        if packs:
            first, second = map(self._get_left, packs)
            self.assertEqual(first, second)
        self.assertFalse(Usage.search([
                    ('resource', '=', resource.id),
                    ('state', '!=', 'charged'),
                    ]))
