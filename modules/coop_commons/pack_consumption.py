# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal
from itertools import groupby

from trytond.modules.coop_membership.locking import claim
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
            ('date', '<=', billing.end),
            ('invoice_line.invoice.state', 'in', ['posted', 'paid']),
            ], order=[('date', 'ASC'), ('id', 'ASC')])
    if not packs:
        return
    claim(packs)
    cover = _Cover(packs)
    groups = _get_charges(billing, {p.party for p in packs})
    cover.load(groups)
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

    def load(self, groups):
        "Load what was taken already for the charges or what they take back"
        pool = Pool()
        Use = pool.get('coop.commons.pack.use')
        usages = {
            u.id for charges in groups
            for u in [charges[0].usage, charges[0].usage.corrects] if u}
        for sub_usages in grouped_slice(sorted(usages), 500):
            for use in Use.search([
                        ('charge.usage', 'in', list(sub_usages)),
                        ], order=[('id', 'ASC')]):
                self._index(use)

    def _index(self, use):
        charge = use.charge
        self.by_charge[charge.usage, charge.component].append(use)

    def add(self, charges):
        "Take the charges of a usage and component from the packs"
        pool = Pool()
        Uom = pool.get('product.uom')
        usage, component = charges[0].usage, charges[0].component
        total = abs(sum(c.quantity for c in charges if c.kind == 'price'))
        if not component.unit or not total:
            return

        def get_factor(pack):
            "Return how much of the unit of the pack is one of the charge"
            if component.unit == pack.unit:
                return Decimal(1)
            return Decimal(str(Uom.compute_qty(
                        component.unit, 1, pack.unit, round=False)))

        if usage.corrects:
            sources = defaultdict(Decimal)
            for use in reversed(self.by_charge[usage.corrects, component]):
                sources[use.pack] += use.quantity / get_factor(use.pack)
        else:
            sources = {
                p: self.remaining[p] / get_factor(p)
                for p in self.packs[usage.payer]
                if p.date <= usage.date
                and (not p.end_date or usage.date <= p.end_date)
                and p.offer.is_for(usage.resource)
                and p.unit.category == component.unit.category}
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

    def _add_use(self, pack, charge, before, after, factor):
        pool = Pool()
        Use = pool.get('coop.commons.pack.use')

        def get_part(value, digit):
            return (
                (value * after).quantize(digit)
                - (value * before).quantize(digit))
        remaining = self.remaining.get(pack)
        if remaining is None:
            remaining = pack.remaining
        quantity = get_part(charge.quantity * factor, QUANTITY)
        quantity = min(quantity, remaining)
        used = pack.quantity - remaining
        use = Use(
            pack=pack,
            charge=charge,
            date=charge.usage.date,
            quantity=quantity,
            amount=get_part(charge.amount, AMOUNT),
            value=pack_calculation.release(
                pack.price, pack.quantity, used, used + quantity,
                Decimal(10) ** -pack.currency.digits))
        self.remaining[pack] = remaining - quantity
        self.uses.append(use)
        self._index(use)
