# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What a usage does not tell, so that it waits for somebody who does."""
from collections import defaultdict

from trytond.pool import Pool

from .tariff import get_audience
from .usage_rating import RatingRun, get_categories


class UsageWaiting:
    "The usages that lack what they are charged by"
    __slots__ = ()

    @property
    def told(self):
        "The categories of the units in which it tells what was used"
        told = {q.unit.category for q in self.quantities}
        if self.end or (self.booking and self.charge_mode != 'usage'):
            told.add(get_time_category())
        return told

    @classmethod
    def find_missing(cls, usages):
        """Return by usage the units in which it does not tell what was used

        Those that tell all, or are charged instead of a use, are not in it.
        """
        needs = _Needs()
        missing = {}
        usages = [
            u for u in usages
            if not (u.event or u.corrects)
            and needs.get_possible(u) - u.told]
        for usage, units in needs.find(usages).items():
            told = usage.told
            units = [u for u in units if u.category not in told]
            if units:
                missing[usage] = units
        return missing

    @classmethod
    def find_needed(cls, usages):
        """Return by usage the units in which it must tell what was used

        They are those in which the tariff counts and no meter does, and for
        a booking all those that are metered.
        """
        return _Needs().find(usages)


class _Needs:

    def __init__(self):
        self.run = RatingRun()
        self._metered = {}
        self._possible = {}

    def get_possible(self, usage):
        "Return the categories of what the usage may have to tell"
        resource, booked = usage.resource, bool(usage.booking)
        key = resource, booked
        if key not in self._possible:
            units = [
                u for t in self.run.get_approved(usage.company)
                if t.is_for(resource)
                for u in self._get_counted(t, resource)]
            if booked:
                units.extend(resource.other_units)
            self._possible[key] = {u.category for u in units}
        return self._possible[key]

    def find(self, usages):
        categories = get_categories(usages)
        needed = {}
        for usage in usages:
            resource, category = usage.resource, categories[usage]
            units = list(resource.other_units) if usage.booking else []
            for tariff in self.run.find_tariffs(
                    usage, get_audience(usage.cost_center, category),
                    category):
                units.extend(self._get_counted(tariff, resource))
            by_category = defaultdict(list)
            for unit in units:
                by_category[unit.category].append(unit)
            needed[usage] = [unit for unit, *_ in by_category.values()]
        return needed

    def _get_counted(self, tariff, resource):
        "Return the units that are to be told, of those that the resource has"
        metered = self._get_metered(resource)
        return [
            c.unit for c in tariff.components
            if (c.kind == 'time'
                or c.kind == 'metered'
                and c.unit.category in resource.unit_categories)
            and c.unit.category not in metered]

    def _get_metered(self, resource):
        "Return the categories of the units of its meters"
        Meter = Pool().get('coop.commons.meter')
        if resource not in self._metered:
            self._metered[resource] = {
                m.unit.category for m in Meter.search(
                    [('resource', '=', resource.id)])}
        return self._metered[resource]


def get_time_category():
    "Return the category of the units of time"
    pool = Pool()
    Category = pool.get('product.uom.category')
    ModelData = pool.get('ir.model.data')
    return Category(ModelData.get_id('product', 'uom_cat_time'))
