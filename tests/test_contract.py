# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop.tests.translations import EXTRAS
from trytond.modules.coop_commons.exceptions import ContractError
from trytond.modules.coop_commons.tests.documents import (
    START, CommonsDocuments)
from trytond.modules.coop_membership.exceptions import RefusedError
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.modules.coop_membership.tests.document import savepoint
from trytond.modules.coop_shares.tests.case import create_share_class, issue
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import check_access


class ContractTestCase(CommonsDocuments, DatabaseTestCase):
    "Test the shares that contracts ask for"
    module = 'coop'
    extras = EXTRAS

    @with_transaction()
    def test_required_shares(self):
        "Test the shares of the contracts add up and can not be given away"
        pool = Pool()
        Contract = pool.get('coop.commons.contract')
        Redemption = pool.get('coop.share.redemption')
        Transfer = pool.get('coop.share.transfer')
        self.company = create_company()
        with set_company(self.company):
            self.prepare_documents(self.company)
            other, member = self._members
            class_ = create_share_class(self.company)
            issue([member, other], class_, 12)

            def make(shares, **values):
                return self._make_document(
                    'contract', share_class=class_,
                    required_shares=Decimal(shares), **values)

            def redeem(quantity):
                redemption = Redemption(
                    company=self.company, member=member, share_class=class_,
                    quantity=Decimal(quantity), reason='partial',
                    request_date=START, end_date=dt.date(2024, 12, 31))
                redemption.save()
                return redemption

            # 12 are held: 7 for the flat, and 5 for the garden but not 6
            flat, garden = make(7), make(6)
            Contract.confirm([flat])
            with self.assertRaises(ContractError):
                Contract.confirm([Contract(garden.id)])
            garden = make(4)
            Contract.confirm([garden])
            # One is left
            transfer = Transfer(
                company=self.company, reason='gift', from_member=member,
                to_member=other, share_class=class_, quantity=Decimal(2),
                date=dt.date(2024, 6, 30))
            transfer.save()
            with savepoint(), self.assertRaises(ContractError):
                Transfer.do([transfer])
            redemption = redeem(2)
            with savepoint(), self.assertRaises(RefusedError):
                Redemption.approve([redemption])
            Redemption.cancel([redemption])
            Redemption.approve([redeem(1)])
            # Of those that are over nothing is asked
            over = Contract(flat.id)
            over.valid_until = dt.date(2024, 12, 31)
            over.save()
            Redemption.approve([redeem(7)])
            with self.assertRaises(ContractError):
                Contract.confirm([make(1)])
            with check_access(), self.assertRaises(ContractError):
                Contract.write([Contract(flat.id)], {'valid_until': None})
