# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.company import CompanyReport


class Notice(CompanyReport):
    __name__ = 'coop.patronage.notice'


class UnclaimedNotice(CompanyReport):
    __name__ = 'coop.patronage.unclaimed_notice'


class RevolvementUnclaimedNotice(CompanyReport):
    __name__ = 'coop.equity.revolvement.unclaimed_notice'


class DistributionList(CompanyReport):
    __name__ = 'coop.patronage.distribution_list'
