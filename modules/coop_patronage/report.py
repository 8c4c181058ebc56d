# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import csv
from decimal import Decimal
from io import StringIO

from trytond.modules.company import CompanyReport
from trytond.report import Report


class Notice(CompanyReport):
    __name__ = 'coop.patronage.notice'


class UnclaimedNotice(CompanyReport):
    __name__ = 'coop.patronage.unclaimed_notice'


class DistributionList(CompanyReport):
    __name__ = 'coop.patronage.distribution_list'


class TaxExtract(Report):
    __name__ = 'coop.patronage.tax_extract'
    # Form 1099-PATR of the United States and slip T4A of Canada
    boxes = [
        "1099-PATR 1", "1099-PATR 4", "T4A 030", "T4A 022"]

    @classmethod
    def _execute(cls, records, header, data, action):
        return 'csv', cls.get_file(records)

    @classmethod
    def get_file(cls, pools):
        "Return the file with a row for each patron of the pools"
        rows = {}
        for pool in pools:
            for allocation in pool.allocations:
                row = rows.setdefault(
                    allocation.party.id,
                    (allocation.party, dict.fromkeys(cls.boxes, Decimal(0))))
                for name, amount in cls.get_boxes(allocation).items():
                    row[1][name] += amount
        output = StringIO()
        writer = csv.writer(output)
        writer.writerow(["Identifier", "Name", *cls.boxes])
        for party, boxes in rows.values():
            identifier = party.tax_identifier
            writer.writerow([
                    identifier.code if identifier else '',
                    party.name, *boxes.values()])
        return output.getvalue()

    @classmethod
    def get_boxes(cls, allocation):
        "Return the amounts by box"
        equity = max(allocation.equity, Decimal(0))
        if allocation.member:
            # What does not make a whole share is equity all the same
            equity += allocation.held
        paid = allocation.cash
        if allocation.pool.qualified:
            paid += equity
        return {
            "1099-PATR 1": paid,
            "1099-PATR 4": allocation.withholding,
            "T4A 030": allocation.cash + equity,
            "T4A 022": allocation.withholding,
            }
