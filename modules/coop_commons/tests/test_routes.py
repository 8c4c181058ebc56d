# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import json
import random

from trytond.modules.company.tests import create_company, set_company
from trytond.pool import Pool
from trytond.tests.test_tryton import RouteTestCase
from trytond.transaction import Transaction


class RoutesTestCase(RouteTestCase):
    "Test the route of usages"
    module = 'coop_commons'

    @classmethod
    def setUpDatabase(cls):
        pool = Pool()
        Application = pool.get('res.user.application')
        Category = pool.get('coop.member.category')
        Member = pool.get('coop.member')
        Party = pool.get('party.party')
        Resource = pool.get('coop.commons.resource')
        Uom = pool.get('product.uom')
        User = pool.get('res.user')

        company = create_company()
        User.write([User(Transaction().user)], {
                'companies': [('add', [company.id])],
                'company': company.id,
                })
        with set_company(company):
            hour, = Uom.search([('name', '=', "Hour")])
            km, = Uom.search([('name', '=', "Kilometer")])
            kwh, = Uom.search([('name', '=', "Kilowatt-hour")])
            kwh.aliases = "KW/h, strom"
            kwh.save()
            Resource.create([{
                        'name': "Car", 'code': 'CAR', 'unit': hour.id,
                        'company': company.id,
                        'other_units': [('add', [km.id])],
                        }, {
                        'name': "Van", 'code': 'VAN', 'unit': hour.id,
                        'company': company.id, 'bookable': True,
                        'other_units': [('add', [km.id])],
                        }, {
                        'name': "Saw", 'code': 'SAW', 'unit': hour.id,
                        'company': company.id, 'bookable': True,
                        'start_date': dt.date(2026, 1, 1),
                        }, {
                        'name': "Kiln", 'code': 'KILN', 'unit': hour.id,
                        'company': company.id, 'bookable': True,
                        'timezone': 'Europe/Berlin', 'capacity': 2,
                        'other_units': [('add', [kwh.id])],
                        }, {
                        'name': "Wool Mill", 'code': 'MILL', 'unit': hour.id,
                        'company': company.id, 'bookable': True,
                        'timezone': 'Australia/Sydney',
                        }])
            party = Party(name="Alice")
            party.save()
            category = Category(name="Users", company=company)
            category.save()
            Member.create([{
                        'party': party.id, 'company': company.id,
                        'category': category.id, 'number': '1',
                        }])
        cls.key = 'commons-key'
        Application.create([{
                    'application': 'coop_commons', 'key': cls.key,
                    'user': Transaction().user, 'state': 'validated',
                    }])

    def post(self, data, key=None, database=None):
        if not isinstance(data, bytes):
            data = json.dumps(data).encode()
        headers = {}
        if key != '':
            headers['Authorization'] = 'Bearer ' + (key or self.key)
        return self.client().post(
            '/%s/coop_commons/usage' % (database or self.db_name),
            headers=headers, data=data)

    def event(self, id_='1', **values):
        return {
            'external_id': id_, 'resource': 'CAR', 'member': '1',
            'start': '2026-01-05T08:00:00Z', 'end': '2026-01-05T11:00:00Z',
            'quantities': {'km': 30.5}, **values}

    def get_usages(self):
        with Transaction().start(self.db_name, 1, readonly=True):
            Usage = Pool().get('coop.commons.usage')
            return {u.external_id: u.state for u in Usage.search([])}

    def test_key(self):
        "Test the key is needed"
        for key, database, status in [
                ('', None, 401), ('wrong', None, 401),
                (None, 'other', 404)]:
            with self.subTest(key=key, database=database):
                response = self.post(
                    {'events': [self.event('key')]}, key, database)
                self.assertEqual(response.status_code, status)
        self.assertNotIn('key', self.get_usages())

    def test_batch(self):
        "Test a batch is taken once"
        data = {
            'source': 'box', 'events': [self.event('a'), self.event('b')]}
        for status in ['created', 'exists']:
            response = self.post(data)
            self.assertEqual(response.status_code, 200)
            self.assertEqual(
                [(r['external_id'], r['status'])
                    for r in response.json['results']],
                [('a', status), ('b', status)])
        usages = self.get_usages()
        self.assertEqual([usages['a'], usages['b']], ['confirmed'] * 2)

    def test_other_content(self):
        "Test the same event with another content is refused"
        self.post({'events': [self.event('other', source='box')]})
        response = self.post({'events': [
                    self.event('other', source='box', seats=1,
                        quantities={'km': 31})]})
        self.assertEqual(response.status_code, 422)
        self.assertIn(
            'another content', response.json['results'][0]['reason'])

    def test_bad(self):
        "Test the reason of each bad event"
        bad = [
            ({'resource': 'BIKE'}, '"BIKE" of "resource" is unknown'),
            ({'resource': None}, '"resource" is missing'),
            ({'external_id': None}, '"external_id" is missing'),
            ({'member': '2'}, '"2" of "member" is unknown'),
            ({'member': None}, 'There must be one of'),
            ({'party': '1'}, 'There must be one of'),
            ({'start': 'yesterday'}, '"yesterday" of "start"'),
            ({'start': 5}, '"5" of "start"'),
            ({'end': '2026-01-05T07:00:00Z'}, 'can not end before'),
            ({'seats': 0}, '"0" of "seats"'),
            ({'seats': 2}, 'the capacity is 1'),
            ({'seats': True}, '"True" of "seats"'),
            ({'quantities': {'km': -1}}, 'wrong sign'),
            ({'quantities': {'km': 'far'}}, '"far" of "km"'),
            ({'quantities': {'parsec': 1}}, '"parsec"'),
            ({'quantities': {'kg': 1}}, 'not a unit of the resource'),
            ({'end': None, 'quantities': {'h': 9_999_999_999}},
                'is longer than any use'),
            ({'quantities': []}, None),
            ({'color': 'red'}, '"red" of "color"'),
            ]
        bad, good = [b for b in bad if b[1]], [b for b in bad if not b[1]]
        events = [
            self.event(f'bad{i}') | values
            for i, (values, _) in enumerate(bad)]
        events += [self.event(f'good{i}') for i, _ in enumerate(good)]
        events += ['text']
        for skip, status, result in [
                (False, 422, 'refused'), (True, 200, 'created')]:
            response = self.post({'events': events, 'skip': skip})
            self.assertEqual(response.status_code, status, response.data)
            results = response.json['results']
            self.assertEqual(len(results), len(events))
            for (values, reason), answer in zip(bad, results):
                with self.subTest(values=values):
                    self.assertEqual(answer['status'], 'error')
                    self.assertIn(reason, answer['reason'])
            self.assertEqual(results[-2]['status'], result)
            self.assertEqual(results[-1]['status'], 'error')
            self.assertEqual('good0' in self.get_usages(), skip)

    def test_exclusive(self):
        "Test nobody uses what somebody else uses, or what is not in service"
        def use(id_, start, end):
            return self.event(
                id_, source='saw', resource='SAW', quantities={},
                start=f'2026-01-{start}:00Z', end=f'2026-01-{end}:00Z')
        self.assertEqual(
            self.post({'events': [use('saw1', '07T09:00', '07T11:00')]}
                ).status_code, 200)
        for skip in [False, True]:
            response = self.post({'skip': skip, 'events': [
                        use('saw2', '07T11:00', '07T12:00'),
                        use('saw3', '07T10:00', '07T13:00'),
                        use('saw4', '07T11:30', '07T12:30'),
                        use('saw5', '01T00:00', '01T01:00') | {
                            'start': '2025-12-31T23:00:00Z'},
                        ]})
            results = response.json['results']
            self.assertEqual(
                [r['status'] for r in results],
                ['created' if skip else 'refused',
                    *['error' if skip else 'refused'] * 2, 'error'])
            for result, reason in zip(results, [
                        None, 'Alice', 'Alice', 'is not in service']):
                if result['status'] == 'error':
                    self.assertIn(reason, result['reason'])
            self.assertEqual(
                {i: s for i, s in self.get_usages().items()
                    if i and i.startswith('saw')},
                dict.fromkeys(
                    ['saw1', 'saw2'] if skip else ['saw1'], 'confirmed'))

    def kiln(self, id_, start, end=None, **values):
        return {
            'external_id': id_, 'source': 'kiln', 'resource': 'KILN',
            'member': '1', 'start': start, **({'end': end} if end else {}),
            **values}

    def get_times(self, source):
        "Return by identifier the hours of the usages"
        with Transaction().start(self.db_name, 1, readonly=True):
            Usage = Pool().get('coop.commons.usage')
            return {
                u.external_id: (
                    f'{u.start:%d %H:%M}', u.end and f'{u.end:%d %H:%M}')
                for u in Usage.search([('source', '=', source)])}

    def test_no_end(self):
        "Test an event whose quantity tells its end is taken once"
        for values in [
                {'quantities': {'h': 1.5}}, {'quantities': {'kWh': 3}}]:
            event = self.kiln(f'end{values}', '2025-12-01T08:00', **values)
            for status in ['created', 'exists']:
                response = self.post({'events': [event]})
                self.assertEqual(
                    response.json['results'][0]['status'], status)
        times = self.get_times('kiln')
        self.assertEqual(
            times["end{'quantities': {'h': 1.5}}"], ('01 07:00', '01 08:30'))

    def test_unit(self):
        "Test units are known by what else they are called"
        for i, symbol in enumerate([
                    'kWh', 'kW⋅h', 'KWH', 'KW/h', 'strom', "Kilowatt-hour"]):
            with self.subTest(symbol=symbol):
                response = self.post({'events': [self.kiln(
                                f'unit{i}', '2025-12-02T08:00',
                                quantities={symbol: 2})]})
                self.assertEqual(response.status_code, 200, response.data)

    def test_local(self):
        "Test a time without offset is that of the resource"
        quarters = [
            (f'{h:02}:{m:02}', f'{h + (m == 45):02}:{(m + 15) % 60:02}')
            for h in (2, 2, 3) for m in (0, 15, 30, 45)][:10]
        for resource, day, first in [
                ('KILN', '2025-10-26', dt.datetime(2025, 10, 26)),
                # Where it is the end of summer
                ('MILL', '2025-04-06', dt.datetime(2025, 4, 5, 15))]:
            source = f'meter {resource}'
            events = [
                self.kiln(f'{i}', f'{day}T{start}', f'{day} {end}',
                    source=source, resource=resource)
                for i, (start, end) in enumerate(quarters)]
            for status in ['created', 'exists']:
                response = self.post({'events': events})
                self.assertEqual(
                    {r['status'] for r in response.json['results']},
                    {status})
            # Also one that comes alone the second time
            response = self.post({'events': [events[5]]})
            self.assertEqual(
                response.json['results'][0]['status'], 'exists')
            quarter = dt.timedelta(minutes=15)
            self.assertEqual(self.get_times(source), {
                    str(i): (
                        f'{first + i * quarter:%d %H:%M}',
                        f'{first + (i + 1) * quarter:%d %H:%M}')
                    for i in range(10)})

    def test_bad_time(self):
        "Test what is no time is refused, as in a file"
        for start, reason in [
                ('2026-01-05', '"2026-01-05" of "start" is not valid'),
                ('2999-01-05T08:00', '"2999-01-05T08:00" of "start"'),
                ('1776-01-05T08:00', '"1776-01-05T08:00" of "start"'),
                ('2026-03-29T02:30',
                    '"2026-03-29T02:30" of "start" does not exist')]:
            with self.subTest(start=start):
                response = self.post({'events': [
                            self.kiln('bad', start),
                            self.kiln('good', '2026-01-05T08:00')]})
                self.assertEqual(response.status_code, 422)
                result, _ = response.json['results']
                self.assertIn(reason, result['reason'])

    def test_booking(self):
        "Test an event is the use of a booking"
        locks = ['coop_member', 'coop_commons_resource']
        with Transaction().start(
                self.db_name, 1, _lock_tables=locks) as transaction:
            pool = Pool()
            Booking = pool.get('coop.commons.booking')
            Company = pool.get('company.company')
            Member = pool.get('coop.member')
            Resource = pool.get('coop.commons.resource')
            company, = Company.search([])
            with set_company(company):
                member, = Member.search([('number', '=', '1')])
                numbers = []
                for code in ['VAN', 'KILN', 'MILL']:
                    resource, = Resource.search([('code', '=', code)])
                    booking = Booking(
                        company=company, resource=resource, member=member,
                        start=dt.datetime(2026, 2, 2, 8),
                        end=dt.datetime(2026, 2, 2, 10))
                    booking.save()
                    if code != 'MILL':
                        Booking.confirm([booking])
                        booking.used_from = booking.start
                        booking.used_until = booking.end
                        booking.save()
                    else:
                        Booking.set_number([booking])
                        booking.save()
                    if code == 'VAN':
                        # It waits for its kilometres
                        Booking.finish([booking])
                        usage, = booking.usages
                        self.assertEqual(usage.state, 'draft')
                    numbers.append(booking.number)
                transaction.commit()
        van, kiln, mill = numbers

        def send(id_, booking, **values):
            response = self.post({'events': [{
                            'external_id': id_, 'source': 'booked',
                            'booking': booking,
                            'start': '2026-02-02T08:05:00Z',
                            'end': '2026-02-02T09:55:00Z', **values}]})
            result, = response.json['results']
            return result['status'], result.get('reason', '')

        for id_, booking, values, reason in [
                ('1', 'none', {}, '"none" of "booking" is unknown'),
                ('1', kiln, {'resource': 'CAR'}, 'is for "[KILN] Kiln"'),
                ('1', mill, {}, 'its state is "Request"'),
                ('1', kiln, {'quantities': {'kWh': 5}}, None),
                ('1', kiln, {'quantities': {'kWh': 5}}, None),
                # A second part of it
                ('2', kiln, {'start': '2026-02-02T09:56:00Z', 'end': None},
                    '"end" is missing'),
                ('2', kiln, {'start': '2026-02-02T09:56:00Z', 'end': None,
                        'quantities': {'kWh': 1}}, None),
                ('3', van, {'quantities': {'km': 12}}, None),
                ]:
            with self.subTest(id=id_, booking=booking, values=values):
                status, answer = send(id_, booking, **values)
                if reason:
                    self.assertEqual(status, 'error')
                    self.assertIn(reason, answer)
                else:
                    self.assertIn(status, {'created', 'exists'}, answer)
        with Transaction().start(
                self.db_name, 1, _lock_tables=locks) as transaction, \
                Transaction().set_context(company=company.id):
            booking, = Booking.search([('number', '=', kiln)])
            Booking.finish([booking])
            self.assertEqual(
                sorted(u.external_id for u in booking.uses), ['1', '2'])
            self.assertEqual({u.state for u in booking.uses}, {'confirmed'})
            booking, = Booking.search([('number', '=', van)])
            self.assertEqual(
                sorted((u.external_id, u.state) for u in booking.usages
                    if u.external_id), [('3', 'confirmed')])
            self.assertEqual(
                [u.state for u in booking.usages if not u.external_id],
                ['cancelled'])
            # It is all used
            booking.resource.charge_mode = 'reservation'
            booking.resource.save()
            transaction.commit()
        status, answer = send('4', van, quantities={'km': 1})
        self.assertEqual(status, 'error')
        self.assertIn('has its use already', answer)

    def test_size(self):
        "Test what is too large is refused"
        self.assertEqual(
            self.post(b' ' * (1024 * 1024 + 1)).status_code, 413)
        self.assertEqual(
            self.post({'events': [{}] * 1001}).status_code, 413)

    def test_malformed(self):
        "Test malformed bodies never fail on the server"
        rng = random.Random(1993)
        good = json.dumps({'events': [self.event('fuzz')]}).encode()
        values = [
            None, True, -1, 1e308, '', 'é' * 100, [], {}, [[]], '\x00',
            '\ud800',
            {'events': {}}, {'events': [None]}, '9999-12-31T23:59:59Z']
        for i in range(10_000):
            body = bytearray(good)
            if i % 40:
                # Most of them can not be read at all
                for _ in range(rng.randrange(1, 20)):
                    body[rng.randrange(len(body))] = rng.randrange(256)
                if not i % 5:
                    del body[rng.randrange(len(body)):]
            else:
                event = self.event('fuzz')
                name = rng.choice(sorted(event))
                event[name] = rng.choice(values)
                body = json.dumps({'events': [event]}).encode()
            status = self.post(bytes(body)).status_code
            if status >= 500:
                with self.subTest(body=body):
                    self.fail(status)
        for body in [
                b'', b'{', b'[]', b'null', b'1', b'[' * 100000, b'\xff',
                b'{"events": [{"seats": NaN}]}', b'{"events": 1}',
                b'{"events": [], "source": 1}',
                b'{"events": [], "skip": 1}']:
            with self.subTest(body=body[:20]):
                self.assertIn(self.post(body).status_code, {400, 411})
