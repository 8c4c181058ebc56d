# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.company import CompanyReport
from trytond.modules.coop_shares.debt import open_parts


class Notice(CompanyReport):
    __name__ = 'coop.patronage.notice'


class UnclaimedNotice(CompanyReport):
    __name__ = 'coop.patronage.unclaimed_notice'

    @classmethod
    def get_context(cls, records, header, data):
        context = super().get_context(records, header, data)
        parts = open_parts({r.unclaimed_line for r in records})
        context['unclaimed'] = {
            r: sum(parts[r.unclaimed_line].values()) for r in records}
        # Some was never due
        context['due'] = {
            r: min(filter(None, (
                        l.maturity_date for l in parts[r.unclaimed_line])),
                default=None)
            for r in records}
        return context


class RevolvementUnclaimedNotice(UnclaimedNotice):
    __name__ = 'coop.equity.revolvement.unclaimed_notice'


class DistributionList(CompanyReport):
    __name__ = 'coop.patronage.distribution_list'
