# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from decimal import Decimal

from trytond.modules.coop_membership.tests.records import (
    create_category, create_fee, create_members)
from trytond.pool import Pool

from .document import DocumentTestMixin

__all__ = ['MembershipDocumentTestMixin']


class MembershipDocumentTestMixin(DocumentTestMixin):
    "Make members and meetings in each of their states"

    masters = {
        'coop.member.category': "is set up by the administration",
        'coop.membership.document': "is set up by the administration",
        'coop.member.category.fee': "is set up by the administration",
        'coop.member.office': "is kept by the membership office",
        }

    def prepare_documents(self, company):
        pool = Pool()
        Document = pool.get('coop.membership.document')
        super().prepare_documents(company)
        self._category = create_category(company, exit_at='any_day')
        self._statutes, = Document.create([{
                    'name': "Statutes",
                    'company': company.id,
                    'valid_from': dt.date(2024, 1, 1),
                    }])

    def make(self, Model, state):
        if Model.__name__ == 'coop.member':
            return self._make_member(state)
        elif Model.__name__ == 'coop.member.fee.run':
            return self._make_fee_run(state)
        else:
            return self._make_meeting(state)

    def _make_member(self, state):
        Member = Pool().get('coop.member')
        member, = create_members(
            self.company, self._category, 1, dt.date(2024, 1, 1),
            consents=[('create', [{
                            'document': self._statutes.id,
                            'date': dt.date(2024, 1, 1),
                            }])],
            representatives=[('create', [{
                            'party': self.company.party.id,
                            'role': 'agent',
                            }])],
            holders=[('create', [{'party': self.company.party.id}])],
            persons=[('create', [{'party': self.company.party.id}])])
        if state == 'rejected':
            Member.reject([member])
        elif state != 'applicant':
            Member.admit([member])
        if state in {'leaving', 'left'}:
            member.notice_date = dt.date(2024, 6, 30)
            member.exit_reason = 'resignation'
            member.save()
            Member.give_notice([member])
        if state == 'left':
            Member.leave([member])
        return member

    def _make_meeting(self, state):
        pool = Pool()
        Meeting = pool.get('coop.meeting')
        Member = pool.get('coop.member')
        if not Member.search([('state', '=', 'member')], limit=1):
            self._make_member('member')
        meeting, = Meeting.create([{
                    'company': self.company.id,
                    'date': dt.date(2024, 5, 1),
                    'items': [('create', [{'subject': "Accounts"}])],
                    }])
        if state in {'convened', 'open', 'closed'}:
            Meeting.convene([meeting])
        if state in {'open', 'closed'}:
            Meeting.open([meeting])
        if state == 'closed':
            Meeting.close([meeting])
        elif state == 'cancelled':
            Meeting.cancel([meeting])
        return meeting

    def _make_fee_run(self, state):
        pool = Pool()
        Party = pool.get('party.party')
        Run = pool.get('coop.member.fee.run')
        if not self._category.fees:
            create_fee(self._category, Decimal(120))
        member = self._make_member('member')
        Party.write([member.party], {'addresses': [('create', [{}])]})
        run, = Run.create([{
                    'company': self.company.id,
                    'date': dt.date(2024, 12, 31),
                    'categories': [('add', [self._category.id])],
                    }])
        if state in {'computed', 'invoiced'}:
            Run.compute([run])
        if state == 'invoiced':
            Run.invoice([run])
        return run
