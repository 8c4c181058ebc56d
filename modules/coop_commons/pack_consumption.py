# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from functools import partial
from itertools import groupby

from sql.aggregate import Sum
from sql.conditionals import Case

from trytond.model import fields
from trytond.modules.coop_membership.locking import claim
from trytond.modules.coop_membership.query import fetch_sums
from trytond.pool import Pool
from trytond.tools import grouped_slice

from . import pack_calculation
from .digits import AMOUNT, QUANTITY
from .slices import SLICE


def use_packs(billing):
    """Take what the billing charges from the packs

    The packs that were sold first are used first.
    """
    pool = Pool()
    Pack = pool.get('coop.commons.pack')
    Use = pool.get('coop.commons.pack.use')
    packs = Pack.search([
            ('company', '=', billing.company.id),
            ('state', '=', 'sold'),
            ('offer.kind', '=', 'use'),
            ('date', '<=', billing.end),
            ('invoice_line.invoice.state', 'in', ['posted', 'paid']),
            ], order=[('date', 'ASC'), ('id', 'ASC')])
    if not packs:
        return
    claim(packs)
    cover = _Cover(packs)
    groups = _get_charges(billing, {p.party for p in packs})
    cover.load(billing, groups)
    for charges in groups:
        cover.add(charges)
    for use in cover.uses:
        use.billing = billing
    for sub_uses in grouped_slice(cover.uses, SLICE):
        Use.save(list(sub_uses))


def _get_charges(billing, parties):
    "Return the charges of each usage and component in their order"
    pool = Pool()
    Charge = pool.get('coop.commons.usage.charge')
    charges = []
    parties = sorted(p.id for p in parties)
    for sub_parties in grouped_slice(parties, 500):
        sub_parties = list(sub_parties)
        ids = [c.id for c in Charge.search([
                    ('billing', '=', billing.id),
                    ['OR',
                        ('usage.member.party', 'in', sub_parties),
                        ('usage.party', 'in', sub_parties),
                        ],
                    ], order=[])]
        for sub_ids in grouped_slice(ids, SLICE):
            charges.extend(Charge.browse(list(sub_ids)))

    def key(charge):
        return (
            charge.usage.start, charge.usage.id, charge.component.id)
    charges.sort(key=lambda c: (key(c), c.id))
    return [list(group) for _, group in groupby(charges, key=key)]


class _Cover:
    "The uses of packs by charges"

    def __init__(self, packs):
        self.packs = defaultdict(list)
        self.remaining = {}
        for pack in packs:
            self.packs[pack.party].append(pack)
            self.remaining[pack] = pack.remaining
        self.uses = []
        self.by_charge = defaultdict(list)
        # The quantity and the amount that were billed before
        self.billed = {}

    def load(self, billing, groups):
        "Load what was taken already for the charges or what they take back"
        pool = Pool()
        Use = pool.get('coop.commons.pack.use')
        usages = {
            u.id for charges in groups
            for u in [charges[0].usage, charges[0].usage.corrects] if u}
        for sub_usages in grouped_slice(sorted(usages), 500):
            sub_usages = list(sub_usages)
            for use in Use.search([
                        ('charge.usage', 'in', sub_usages),
                        ], order=[('id', 'ASC')]):
                self._index(use)
            charge = pool.get('coop.commons.usage.charge').__table__()
            columns = [charge.usage, charge.component]
            for usage, component, *sums in fetch_sums(charge.select(
                        *columns,
                        Sum(Case(
                                (charge.kind == 'price', charge.quantity),
                                else_=0)).as_('quantity'),
                        Sum(charge.amount).as_('amount'),
                        where=fields.SQL_OPERATORS['in'](
                            charge.usage, sub_usages)
                        & (charge.billing != billing.id),
                        group_by=columns), 2):
                self.billed[usage, component] = [
                    s.quantize(d) for s, d in zip(sums, [QUANTITY, AMOUNT])]

    def _index(self, use):
        charge = use.charge
        self.by_charge[charge.usage, charge.component].append(use)

    def add(self, charges):
        "Take the charges of a usage and component from the packs"
        usage, component = charges[0].usage, charges[0].component
        if ((usage.id, component.id) in self.billed
                and component.unit and not usage.corrects):
            self._correct(charges, *self.billed[usage.id, component.id])
            return
        total = abs(sum(c.quantity for c in charges if c.kind == 'price'))
        if not component.unit or not total:
            return

        get_factor = partial(self._get_factor, component)
        if usage.corrects:
            sources = defaultdict(Decimal)
            for use in reversed(self.by_charge[usage.corrects, component]):
                sources[use.pack] += use.quantity / get_factor(use.pack)
        else:
            sources = self._get_sources(usage, component)
        done = abs(sum(
                u.quantity / get_factor(u.pack)
                for u in self.by_charge[usage, component]))
        for pack, part in pack_calculation.take(
                total - done, list(sources.items())):
            before, after = done / total, (done + part) / total
            for charge in charges:
                self._add_use(
                    pack, charge, before, after,
                    get_factor(pack) if charge.kind == 'price' else 0)
            done += part

    @classmethod
    def _get_factor(cls, component, pack):
        "Return how much of the unit of the pack is one of the component"
        pool = Pool()
        Uom = pool.get('product.uom')
        if component.unit == pack.unit:
            return Decimal(1)
        return Decimal(str(Uom.compute_qty(
                    component.unit, 1, pack.unit, round=False)))

    def _get_sources(self, usage, component):
        "Return how much the packs can give for the component"
        return {
            p: self.remaining[p] / self._get_factor(component, p)
            for p in self.packs[usage.payer]
            if p.date <= usage.date
            and (not p.end_date or usage.date <= p.end_date)
            and p.offer.is_for(usage.resource)
            and p.unit.category == component.unit.category}

    def _correct(self, charges, quantity, amount):
        """Cover what a usage costs now instead of what was billed for it

        As much of it is covered as if it were billed at once: the charges are
        only the difference.
        """
        usage, component = charges[0].usage, charges[0].component
        get_factor = partial(self._get_factor, component)
        uses = self.by_charge[usage, component]
        more = sum(c.quantity for c in charges if c.kind == 'price')
        quantity += more
        amount += sum(c.amount for c in charges)
        covered = sum(u.quantity / get_factor(u.pack) for u in uses)
        if covered > quantity:
            sources = defaultdict(Decimal)
            for use in reversed(uses):
                sources[use.pack] += use.quantity / get_factor(use.pack)
            parts = [
                (p, -part) for p, part in pack_calculation.take(
                    covered - quantity, list(sources.items()))]
        else:
            parts = pack_calculation.take(
                max(min(more, quantity - covered), Decimal(0)),
                list(self._get_sources(usage, component).items()))
        if not parts and not uses:
            return
        covered += sum(part for _, part in parts)
        if quantity:
            amount *= covered / quantity
        else:
            amount = Decimal(0)
        amount -= sum(u.amount for u in uses)
        charge = max(charges, key=lambda c: abs(c.amount))
        for pack, part in parts or [(uses[-1].pack, Decimal(0))]:
            self._take(
                pack, charge, (part * get_factor(pack)).quantize(QUANTITY),
                amount.quantize(AMOUNT))
            amount = Decimal(0)

    def _add_use(self, pack, charge, before, after, factor):
        def get_part(value, digit):
            return (
                (value * after).quantize(digit)
                - (value * before).quantize(digit))
        self._take(
            pack, charge, get_part(charge.quantity * factor, QUANTITY),
            get_part(charge.amount, AMOUNT))

    def _take(self, pack, charge, quantity, amount):
        pool = Pool()
        Use = pool.get('coop.commons.pack.use')
        remaining = self.remaining.get(pack)
        if remaining is None:
            remaining = pack.remaining
        quantity = min(quantity, remaining)
        used = pack.quantity - remaining
        use = Use(
            pack=pack,
            charge=charge,
            date=charge.usage.date,
            quantity=quantity,
            amount=amount,
            value=pack_calculation.release(
                pack.price, pack.quantity, used, used + quantity,
                Decimal(10) ** -pack.currency.digits))
        self.remaining[pack] = remaining - quantity
        self.uses.append(use)
        self._index(use)
