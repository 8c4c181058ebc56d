# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
import unittest
from decimal import Decimal as D

from trytond.modules.coop_patronage.inputs import (
    Inputs, LineInputs, PoolInputs, RuleInputs, Settings, digests)
from trytond.modules.coop_patronage.pool_allocation import Refused
from trytond.modules.coop_patronage.seniority import full_years, is_present
from trytond.modules.coop_patronage.surplus_allocation import (
    _get_parts, allocate)
from trytond.modules.coop_shares.lot import Lot
from trytond.modules.coop_shares.tax import Terms

CLASS = 7


def line(key, kind, basis='remainder', account=None, **values):
    empty = dict.fromkeys([
            'rate', 'amount', 'minimum_amount', 'minimum_rate',
            'maximum_rate', 'target', 'target_account', 'section'])
    return LineInputs(
        key=key, kind=kind, basis=basis, account=account, **empty | values)


def pool(key, line, **values):
    return PoolInputs(**{
            'key': key, 'line': line, 'difference_line': None,
            'categories': {1: ('amount', D(1))}, 'has_usage': False,
            'method': 'amount', 'amount': None, 'rate': None,
            'cash_percent': D(1), 'cash_floor': None, 'equity_class': CLASS,
            'par_value': D(1), 'quantity_digits': 2, 'required_equity': None,
            'elections': True, 'rounding': D('0.01'), 'minimum': None,
            'below_minimum': 'keep', 'cash_below': None,
            'qualified': False, 'bylaw_consent': False,
            'cheque_consent': False, 'payment_date': None,
            'minimum_activity': None,
            'non_members': 'exclude', 'cap_percent': None,
            'withholding_rate': None, 'withholding_threshold': None,
            'withholding_base': 'cash', 'withholding_unidentified': False,
            'set_off': False, 'loss_order': 'oldest', 'terms': (),
            'part': None, 'measure': 'activity', 'employees': False,
            'presence_months': None, 'seniority_months': None,
            'seniority_rate': None, 'seniority_maximum': None,
            } | values)


def inputs(result, lines, pools=(), use=None, settings=None, **values):
    """Return the inputs of a result

    `use` is the activity by member, whose id is the one of the party.
    """
    return Inputs(**{
            'settings': Settings(**{
                    'unit': D('0.01'), 'vintage': 2025,
                    'start_date': dt.date(2025, 1, 1),
                    'end_date': dt.date(2025, 12, 31),
                    'recognition': 'appropriation',
                    'posting_date': dt.date(2026, 5, 1),
                    'account_surplus': 1, 'brought_forward': D(0),
                    'account_brought_forward': None,
                    'reserve_release': D(0),
                    'account_reserve_release': None, 'other_result': D(0),
                    'ratio_categories': {}, 'fixed_ratio': D(1),
                    'patronage_base': None, 'net_losses': False,
                    'net_sections': False,
                    'income_tax': D(0), 'paid_capital': None,
                    'registration_date': None,
                    } | (settings or {})),
            'result': D(result), 'sections': {},
            'lines': tuple(lines), 'rules': (),
            'balances': {},
            'pools': tuple(pools),
            'activity': {
                False: [(m, m, 1, D(0), D(amount))
                    for m, amount in (use or {}).items()],
                True: []},
            'lifetime': {}, 'seniority': {}, 'eligible': {},
            'elections': {}, 'owed': {}, 'use': {},
            'holdings': {}, 'debts': {}, 'taxed': {}, 'tax_terms': {},
            'identified': frozenset(), 'kept': {}, 'consents': {},
            } | values)


class AllocationTestCase(unittest.TestCase):
    "Test the allocation is a function of its inputs"

    def test_tax_below_minimum(self):
        "Test no tax is withheld from money that nobody gets"
        # 1,000.00, of which a quarter is money, and 24 % tax on money
        names = ['cash', 'equity', 'withholding', 'net', 'kept', 'forfeited']
        for minimum, below, expected in [
                (300, 'equity', (0, 1000, 0, 0, False, 0)),
                (300, 'reserve', (0, 750, 0, 0, False, 250)),
                (300, 'keep', (250, 750, 60, 190, True, 0)),
                # What is not below it is enough, before the tax
                (250, 'equity', (250, 750, 60, 190, False, 0)),
                ]:
            with self.subTest(minimum=minimum, below=below):
                row, = allocate(inputs(
                        1000,
                        [line(1, 'patronage'),
                            line(2, 'carry_forward', amount=D(0))],
                        [pool(1, 1, cash_percent=D('0.25'),
                                withholding_rate=D('0.24'),
                                minimum=D(minimum), below_minimum=below)],
                        {5: 100})).rows
                self.assertEqual(
                    tuple(row.get(n, 0) for n in names), expected)

    def test_seniority(self):
        "Test the employees by pay and in equal parts, with their years"
        # 15,000 of 25,000 by the pay of 30,000, 20,000 and 10,000 by 1, 1.5
        # and 2: 30, 30 and 20.  The rest by 1, 1.5 and 2, with who has no pay
        values = {
            'employees': True, 'non_members': 'pay', 'presence_months': 3,
            'seniority_months': 6, 'seniority_rate': D('0.1'),
            'seniority_maximum': D(2)}
        seniority = {1: (0, 1), 2: (5, 2), 3: (15, None)}
        data = inputs(
            25000, [line(1, 'patronage')],
            [pool(1, 1, part=D('0.6'), **values),
                pool(2, 1, measure='equal', **values)],
            {1: 30000, 2: 20000, 3: 10000, 4: 50000},
            seniority={1: seniority, 2: seniority})
        self.assertEqual(
            [(r['pool'], r['party'], r['basis'], r['gross'])
                for r in allocate(data).rows], [
                (1, 1, D(30000), D('5625.00')),
                (1, 2, D(30000), D('5625.00')),
                (1, 3, D(20000), D('3750.00')),
                (2, 1, D(1), D('2222.22')),
                (2, 2, D('1.5'), D('3333.33')),
                (2, 3, D(2), D('4444.45')),
                ])

    def test_parts(self):
        "Test parts that are one are the whole, to the cent"
        # Two halves of 100.01 are 50.01 and 50.00, two quarters are 50.01
        for amount, parts, expected in [
                ('100.01', ['0.5', '0.5'], ['50.01', '50.00']),
                ('0.01', ['0.5', '0.5'], ['0.01', '0.00']),
                ('100.01', ['0.25', '0.25'], ['25.01', '25.00']),
                ('-100.01', ['0.5', '0.5'], ['-50.01', '-50.00'])]:
            with self.subTest(amount=amount, parts=parts):
                given = _get_parts(
                    D(amount), dict(enumerate(map(D, parts))), D('0.01'))
                self.assertEqual(
                    list(given.values()), list(map(D, expected)))
        rows = allocate(inputs(
                '100.01', [line(1, 'patronage')],
                [pool(1, 1, part=D('0.5')), pool(2, 1, part=D('0.5'))],
                {1: 100})).rows
        self.assertEqual(
            [r['gross'] for r in rows], [D('50.01'), D('50.00')])

    def test_lifetime(self):
        "Test the activity of all years and the years of membership"
        # 300 by 100 and 200 of all years, 90 by 2 years and 1
        use = {1: 100, 2: 100, 3: 100}
        data = inputs(
            390, [line(1, 'patronage')],
            [pool(1, 1, amount=D(300), measure='lifetime'),
                pool(2, 1, measure='tenure')], use,
            lifetime={1: [
                    (1, 1, 1, D(0), D(100)), (2, 2, 1, D(0), D(200))]},
            seniority={2: {1: (2, 1), 2: (1, 2), 3: (0, 3)}})
        self.assertEqual(
            [(r['pool'], r['party'], r['gross'])
                for r in allocate(data).rows], [
                (1, 1, D(100)), (1, 2, D(200)),
                (2, 1, D(60)), (2, 2, D(30)), (2, 3, D(0)),
                ])

    def test_presence(self):
        "Test who was there for three months, or has been for six"
        year = dt.date(2025, 1, 1), dt.date(2025, 12, 31)
        for periods, present, years in [
                ([(dt.date(2025, 10, 1), None)], True, 0),
                ([(dt.date(2025, 10, 2), None)], False, 0),
                # Half a year, and two months of it in the year
                ([(dt.date(2024, 9, 1), dt.date(2025, 2, 28))], False, 0),
                ([(dt.date(2024, 1, 1), dt.date(2024, 12, 31))], False, 1),
                ([(dt.date(2025, 1, 1), dt.date(2025, 3, 31))], True, 0),
                # Twice
                ([(dt.date(2025, 1, 1), dt.date(2025, 2, 28)),
                        (dt.date(2025, 12, 1), dt.date(2025, 12, 31))],
                    False, 0),
                ([(dt.date(2025, 1, 1), dt.date(2025, 3, 2)),
                        (dt.date(2025, 12, 1), None)], True, 0),
                # Five months before, and two in the year
                ([(dt.date(2024, 8, 1), dt.date(2024, 12, 31)),
                        (dt.date(2025, 11, 1), None)], True, 0),
                ([(dt.date(2015, 1, 1), None)], True, 11),
                ([(dt.date(2015, 1, 2), None)], True, 10),
                # Two employments at once are two months, and eleven years
                ([(dt.date(2025, 11, 1), None)] * 2, False, 0),
                ([(dt.date(2015, 1, 1), None),
                        (dt.date(2020, 1, 1), dt.date(2024, 12, 31))],
                    True, 11),
                ]:
            with self.subTest(periods=periods):
                self.assertEqual(
                    (is_present(periods, *year, 3, 6),
                        full_years(periods, year[1])), (present, years))

    def test_tax_terms(self):
        "Test an exemption is taken once, and who has his own rate pays it"
        # 100.00, 80.00 and 60.00 of money, of which 25 % are withheld.  Of
        # the first 90.00 are exempt, 20.00 of them taken before: 7.50.
        # Nothing of the second, 15 % of the third: 9.00.
        terms = {
            1: (Terms(exemption=D(90)), D(20)),
            2: (Terms(rate=D(0)), D(0)),
            3: (Terms(rate=D('0.15')), D(0)),
            }
        use = {1: 100, 2: 80, 3: 60}
        values = {'cash_percent': D(1), 'withholding_rate': D('0.25')}
        rows = allocate(inputs(
                240, [line(1, 'patronage'),
                    line(2, 'carry_forward', amount=D(0))],
                [pool(1, 1, **values)], use, tax_terms=terms)).rows
        self.assertEqual(
            [(r['withholding'], r['exempt'], r['net']) for r in rows], [
                (D('7.50'), D(70), D('92.50')),
                (D(0), None, D(80)),
                (D('9.00'), None, D('51.00'))])
        # Two pools of 50.00 for each: what is left for the second is 20.00
        rows = allocate(inputs(
                300, [line(1, 'patronage', amount=D(150)),
                    line(2, 'patronage', amount=D(150)),
                    line(3, 'carry_forward', amount=D(0))],
                [pool(1, 1, **values), pool(2, 2, **values)],
                {1: 100, 2: 100, 3: 100}, tax_terms=terms)).rows
        self.assertEqual(
            [(r['pool'], r['withholding'], r['exempt'])
                for r in rows if r['party'] == 1], [
                (1, D(0), D(50)),
                (2, D('7.50'), D(20))])

    def test_small_refunds(self):
        "Test a small refund is wholly money, or equity that is not qualified"
        # A quarter of 100.00, 20.00 and 4.00 is money, less than 5.00 is not
        # paid out, and less than 10.00 is not divided
        for values, expected in [
                ({'minimum': D(5), 'below_minimum': 'keep'}, [
                        (25, 75, False), (5, 15, False), (1, 3, True)]),
                ({'minimum': D(5), 'below_minimum': 'cash'}, [
                        (25, 75, False), (5, 15, False), (4, 0, False)]),
                ({'minimum': D(5), 'below_minimum': 'equity'}, [
                        (25, 75, False), (5, 15, False), (0, 4, False)]),
                ({'cash_below': D(10)}, [
                        (25, 75, False), (5, 15, False), (4, 0, False)]),
                ]:
            with self.subTest(**values):
                rows = allocate(inputs(
                        124, [line(1, 'patronage')],
                        [pool(1, 1, cash_percent=D('0.25'),
                                cash_floor=D('0.2'), qualified=True,
                                bylaw_consent=True, **values)],
                        {1: 100, 2: 20, 3: 4})).rows
                self.assertEqual(
                    [(r['cash'], r['equity'], r['kept']) for r in rows],
                    expected)
                # Less money than the law asks for does not qualify
                self.assertEqual(
                    [r['qualified'] for r in rows],
                    [equity > 0 and cash >= (cash + equity) / 5
                        for cash, equity, _ in expected])

    def test_consent(self):
        "Test who consents to be taxed: in writing, by by-laws or by cheque"
        date = dt.date(2024, 3, 1)
        for values, expected in [
                ({}, [('written', date), (None, None)]),
                ({'bylaw_consent': True},
                    [('written', date), ('bylaw', None)]),
                ({'cheque_consent': True},
                    [('written', date), ('cheque', None)]),
                ({'bylaw_consent': True, 'cheque_consent': True},
                    [('written', date), ('bylaw', None)]),
                ({'bylaw_consent': True, 'qualified': False},
                    [(None, None), (None, None)]),
                ]:
            with self.subTest(**values):
                rows = allocate(inputs(
                        100, [line(1, 'patronage')],
                        [pool(1, 1, cash_percent=D('0.25'), **{
                                    'qualified': True} | values)],
                        {1: 50, 2: 50}, consents={1: date})).rows
                self.assertEqual(
                    [(r['consent'], r['consent_date']) for r in rows],
                    expected)
                self.assertEqual(
                    [r['qualified'] for r in rows],
                    [bool(consent) for consent, _ in expected])

    def test_non_members_paid(self):
        "Test who is no member is paid in money, but gets no equity"
        activity = {
            False: [(m, member, 1, D(0), D(50))
                for m, member in [(1, 1), (2, None)]],
            True: []}
        rows = allocate(inputs(
                100, [line(1, 'patronage')],
                [pool(1, 1, cash_percent=D('0.4'), non_members='pay')],
                activity=activity)).rows
        self.assertEqual(
            [(r['cash'], r['equity'], r['net']) for r in rows],
            [(20, 30, 20), (50, 0, 50)])

    def test_minimum_amount(self):
        "Test a reserve of 50,000.00 or 20 %, whatever is more"
        lines = [
            line(1, 'reserve', 'result', rate=D('0.2'),
                minimum_amount=D(50000)),
            line(2, 'carry_forward')]
        for result, reserve in [
                (300000, 60000), (200000, 50000), (30000, 30000)]:
            with self.subTest(result=result):
                amounts = allocate(inputs(result, lines)).amounts
                self.assertEqual(amounts, {1: reserve, 2: result - reserve})

    def test_before_tax(self):
        "Test what counts before tax and after earlier losses"
        # 80 % of 100,000 and 20,000 is 96,000, less 6,000
        lines = [
            line(1, 'reserve', 'member_result_before_tax', rate=D('0.2')),
            line(2, 'carry_forward')]
        amounts = allocate(inputs(
                100000, lines, settings={
                    'income_tax': D(20000), 'brought_forward': D(-6000),
                    'fixed_ratio': D('0.8')})).amounts
        self.assertEqual(amounts, {1: 18000, 2: 76000})

    def test_net_losses(self):
        "Test the loss of a pool is borne by the others if that is chosen"
        pools = [
            pool(i, 1, amount=D(amount))
            for i, amount in enumerate([60000, 20000, -8000])]
        lines = [line(1, 'patronage')]
        with self.assertRaises(Refused) as cm:
            allocate(inputs(72000, lines, pools, {5: 100}))
        self.assertEqual(cm.exception.reason, 'pool_amount_exceeded')
        allocated = allocate(inputs(
                72000, lines, pools, {5: 100}, {'net_losses': True}))
        self.assertEqual(
            [row['gross'] for row in allocated.rows], [54000, 18000, 0])

    def test_loss_brought_forward(self):
        "Test a loss takes what is brought forward and nothing else"
        # Issued figures: 5,159.00 carried forward, a loss of 2,139.87
        lines = [
            line(1, 'reserve', 'result', rate=D('0.1')),
            line(2, 'loss_cover', account=9),
            line(3, 'patronage', rate=D('0.75')),
            line(4, 'carry_forward')]
        amounts = allocate(inputs(
                '-2139.87', lines, balances={9: D(1000)},
                settings={'brought_forward': D(5159)})).amounts
        self.assertEqual(amounts, {1: 0, 2: 0, 3: 0, 4: D('3019.13')})

    def test_loss_in_order(self):
        "Test what bears a loss in order, each as far as it goes"
        lines = [
            line(1, 'reserve', 'result', rate=D('0.1')),
            line(2, 'loss_cover', account=8),
            line(3, 'loss_cover', account=9),
            line(4, 'carry_forward')]
        for result, brought, expected in [
                (-500, 0, [0, -500, 0, 0]),
                (-1700, 100, [0, -600, -1000, 0]),
                (-1700, 0, [0, -600, -1000, -100]),
                # A profit touches no cover of losses
                (1000, 0, [100, 0, 0, 900])]:
            with self.subTest(result=result):
                amounts = allocate(inputs(
                        result, lines, balances={8: D(600), 9: D(1000)},
                        settings={'brought_forward': D(brought)})).amounts
                self.assertEqual(list(amounts.values()), expected)

    def test_cover_after_the_rest(self):
        "Test a cover never takes more than its account holds"
        amounts = allocate(inputs(
                -1700, [line(1, 'carry_forward', rate=D('0.5')),
                    line(2, 'loss_cover', account=8),
                    line(3, 'carry_forward', 'result', amount=D(-250))],
                balances={8: D(600)})).amounts
        self.assertEqual(amounts, {1: D(-850), 2: D(-600), 3: D(-250)})

    def test_loss_of_members(self):
        "Test the part of the members in a loss, published for a cooperative"
        # Hypha bylaws 6.4: 80 % of 50,000 to a reserve that holds 30,000
        lines = [
            line(1, 'loss_cover', 'result', account=9, rate=D('0.8')),
            line(2, 'loss_cover'),
            line(3, 'carry_forward', amount=D(0))]
        lots = {
            (m, CLASS): (Lot(2024, dt.date(2025, 5, 1), D(q), D(q)),)
            for m, q in [(1, 10000), (2, 10000), (3, 4000)]}
        allocated = allocate(inputs(
                -50000, lines, [pool(1, 2)], {1: 1800, 2: 1200, 3: 1000},
                balances={9: D(30000)}, holdings=lots))
        self.assertEqual(
            allocated.amounts, {1: -30000, 2: -20000, 3: 0})
        self.assertEqual(
            [(r['gross'], r['equity'], r['forfeited'])
                for r in allocated.rows],
            [(-9000, -9000, 0), (-6000, -6000, 0), (-5000, -4000, -1000)])

    def test_loss_undividable(self):
        "Test undividable shares bear a loss with what is paid up"
        # Par 50, a loss of 37 of one member, then one of 60
        lots = {(1, CLASS): (Lot(2024, dt.date(2025, 5, 1), D(1), D(50)),)}
        pools = [pool(1, 1, par_value=D(50), quantity_digits=0)]
        lines = [line(1, 'loss_cover')]
        row, = allocate(inputs(
                -37, lines, pools, {1: 100}, holdings=lots)).rows
        self.assertEqual((row['equity'], row['forfeited']), (-37, 0))
        row, = allocate(inputs(
                -60, [*lines, line(2, 'carry_forward', amount=D(0))], pools,
                {1: 100}, holdings=lots)).rows
        self.assertEqual((row['equity'], row['forfeited']), (-50, -10))
        with self.assertRaises(Refused) as cm:
            allocate(inputs(-60, lines, pools, {1: 100}, holdings=lots))
        self.assertEqual(cm.exception.reason, 'pool_difference')

    def test_losses_of_two_pools(self):
        "Test two pools do not take the same equity"
        lots = {(1, CLASS): (Lot(2024, dt.date(2025, 5, 1), D(50), D(50)),)}
        allocated = allocate(inputs(
                -80, [line(1, 'loss_cover'),
                    line(2, 'carry_forward', amount=D(0))],
                [pool(1, 1, amount=D(-40)), pool(2, 1)], {1: 100},
                holdings=lots))
        self.assertEqual(
            [(r['equity'], r['forfeited']) for r in allocated.rows],
            [(-40, 0), (-10, -30)])

    def test_digests(self):
        "Test equal figures have one digest, and other ones another"
        one = inputs('1.0', [line(1, 'carry_forward')])
        self.assertEqual(
            digests(one), digests(inputs('1.00', [line(1, 'carry_forward')])))
        other = digests(one._replace(result=D(2)))
        self.assertEqual(
            [n for n, digest in digests(one).items() if digest != other[n]],
            ['result'])

    def test_each_figure(self):
        "Test each figure that is an input changes the digest of its kind"
        one = inputs(
            1, [line(1, 'patronage')], [pool(1, 1)],
            rules=(RuleInputs(*[None] * len(RuleInputs._fields)),))
        before = digests(one)
        changed = 0
        for kind in ['settings', 'lines', 'rules', 'pools']:
            value = getattr(one, kind)
            single = kind == 'settings'
            record = value if single else value[0]
            for name in record._fields:
                with self.subTest(kind=kind, name=name):
                    other = record._replace(**{name: "changed"})
                    after = digests(one._replace(**{
                                kind: other if single else (other,)}))
                    self.assertEqual(
                        [n for n in after if after[n] != before[n]], [kind])
                    changed += 1
        self.assertGreater(changed, 60)
