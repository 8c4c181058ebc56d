# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from itertools import groupby

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow
from trytond.pool import Pool
from trytond.transaction import Transaction

from .bulk import read_at_once
from .date import format_date
from .exceptions import AdmissionError


def _by_company(members):
    for company, c_members in groupby(
            sorted(members, key=lambda m: m.company.id),
            key=lambda m: m.company):
        yield company, list(c_members)


class AdmissionMixin:
    "Admit applicants, and those who come back, as members"
    __slots__ = ()

    @classmethod
    @read_at_once
    @ModelView.button
    @Workflow.transition('member')
    def admit(cls, members):
        cls._admit(members)

    @classmethod
    @read_at_once
    @ModelView.button
    @Workflow.transition('member')
    def readmit(cls, members):
        cls._admit(members)

    @classmethod
    def _admit(cls, members):
        pool = Pool()
        Membership = pool.get('coop.membership')
        Number = pool.get('coop.member.number')
        memberships = cls._get_admissions(members)
        refused = cls._refuse_admissions(memberships)
        if refused:
            raise AdmissionError('\n'.join(refused.values()))
        for company, c_members in _by_company(members):
            Number.give(company, c_members)
        Membership.save(memberships)
        if members:
            cls.write(members, {
                    'notice_date': None,
                    'exit_reason': None,
                    'hardship': False,
                    'requested_category': None,
                    'requested_admission_date': None,
                    })

    @classmethod
    def refusals_admit(cls, members):
        return cls._refuse_admissions(cls._get_admissions(members))

    @classmethod
    def refusals_readmit(cls, members):
        return cls.refusals_admit(members)

    @classmethod
    def _get_admissions(cls, members):
        "Return the memberships, not saved, of the members to admit"
        pool = Pool()
        Date = pool.get('ir.date')
        Membership = pool.get('coop.membership')
        memberships = []
        for company, c_members in _by_company(members):
            with Transaction().set_context(company=company.id):
                today = Date.today()
            for member in c_members:
                date = member.requested_admission_date or today
                category = (
                    member.requested_category
                    or member.state == 'left' and member.category
                    or None)
                memberships.append(Membership(
                        member=member,
                        category=category,
                        start_date=date,
                        admission_date=date))
        return memberships

    @classmethod
    def _refuse_admissions(cls, memberships):
        "Return by member the reason why the membership can not start"
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        Document = pool.get('coop.membership.document')
        config = Configuration(1)
        refused = {}
        for company, c_memberships in groupby(
                memberships, key=lambda m: m.member.company):
            majority_age = config.get_multivalue(
                'majority_age', company=company.id)
            entity_representative = config.get_multivalue(
                'entity_representative', company=company.id)
            documents = Document.search([
                    ('company', '=', company.id),
                    ])
            for membership in c_memberships:
                text = membership.member._refuse_admission(
                    membership, documents, majority_age,
                    entity_representative)
                if text:
                    refused[membership.member] = text
        return refused

    def _refuse_admission(
            self, membership, documents, majority_age, entity_representative):
        pool = Pool()
        Document = pool.get('coop.membership.document')
        date = membership.start_date
        if not membership.category:
            return gettext(
                'coop_membership.msg_member_admit_category',
                member=self.rec_name)
        if date < self.application_date:
            return self._text_admit_application(date)
        last = self.memberships[-1] if self.memberships else None
        if last and (not last.end_date or last.end_date >= date):
            return gettext(
                'coop_membership.msg_member_admit_overlap',
                member=self.rec_name,
                date=format_date(date),
                start_date=format_date(last.start_date),
                end_date=format_date(last.end_date))
        consents = {c.document for c in self.consents if c.date <= date}
        for document in Document.required_at(documents, date):
            if document not in consents:
                return gettext(
                    'coop_membership.msg_member_admit_consent',
                    member=self.rec_name,
                    document=document.rec_name)
        text = membership.refuse_age()
        if text:
            return text
        age = self.party.get_age(date)
        if self.party.legal_entity:
            need_representative = entity_representative
        else:
            need_representative = age is not None and age < majority_age
        if need_representative and not any(
                r.is_legal and r.is_valid(date)
                for r in self.representatives):
            return gettext(
                'coop_membership.msg_member_admit_representative',
                member=self.rec_name)

    def _text_admit_application(self, date):
        return gettext(
            'coop_membership.msg_member_admit_application',
            member=self.rec_name,
            date=format_date(date),
            application_date=format_date(self.application_date))

    @classmethod
    @ModelView.button
    @Workflow.transition('applicant')
    def undo_admission(cls, members):
        pool = Pool()
        Membership = pool.get('coop.membership')
        Number = pool.get('coop.member.number')
        cls.check_step('undo_admission', members, error=AdmissionError)
        Number.keep(members)
        memberships = []
        for member in members:
            membership, = member.memberships
            member.requested_category = membership.category
            member.requested_admission_date = membership.start_date
            member.notice_date = None
            member.exit_reason = None
            member.requested_exit_date = None
            memberships.append(membership)
        cls.save(members)
        Membership.delete(memberships)

    @classmethod
    def refusals_undo_admission(cls, members):
        "What has followed on the admission has to be taken back before"
        pool = Pool()
        Attendance = pool.get('coop.meeting.attendance')
        attendances = {
            a.member: a for a in Attendance.search([
                    ('member', 'in', [m.id for m in members]),
                    ('meeting.state', '!=', 'cancelled'),
                    ])}
        refused = {}
        for member in members:
            if len(member.memberships) > 1:
                refused[member] = gettext(
                    'coop_membership.msg_member_undo_memberships',
                    member=member.rec_name)
            elif member in attendances:
                refused[member] = gettext(
                    'coop_membership.msg_member_undo_meeting',
                    member=member.rec_name,
                    meeting=attendances[member].meeting.rec_name)
        return refused

    @classmethod
    @ModelView.button
    @Workflow.transition('rejected')
    def reject(cls, members):
        pass

    @classmethod
    @ModelView.button
    @Workflow.transition('applicant')
    def reconsider(cls, members):
        pass
