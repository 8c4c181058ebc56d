# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from itertools import groupby

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow
from trytond.pool import Pool
from trytond.transaction import Transaction

from .bulk import read_at_once
from .date import format_date
from .exceptions import AdmissionError


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
        Date = pool.get('ir.date')
        Membership = pool.get('coop.membership')
        Number = pool.get('coop.member.number')
        memberships = []
        for company, c_members in groupby(
                sorted(members, key=lambda m: m.company.id),
                key=lambda m: m.company):
            c_members = list(c_members)
            with Transaction().set_context(company=company.id):
                today = Date.today()
            for member in c_members:
                date = member.requested_admission_date or today
                category = (
                    member.requested_category
                    or member.state == 'left' and member.category)
                if not category:
                    raise AdmissionError(gettext(
                            'coop_membership.msg_member_admit_category',
                            member=member.rec_name))
                memberships.append(Membership(
                        member=member,
                        category=category,
                        start_date=date,
                        admission_date=date))
            cls._check_admission(company, memberships[-len(c_members):])
            Number.give(company, c_members)
        values = {
            'notice_date': None,
            'exit_reason': None,
            'hardship': False,
            'requested_category': None,
            'requested_admission_date': None,
            }
        to_write = [members, values] if members else []
        # A member entered afterwards has applied before
        late = defaultdict(list)
        for membership in memberships:
            if membership.member.application_date > membership.start_date:
                late[membership.start_date].append(membership.member)
        for date, d_members in late.items():
            to_write.extend((d_members, {'application_date': date}))
        if to_write:
            cls.write(*to_write)
        Membership.save(memberships)

    @classmethod
    def _check_admission(cls, company, memberships):
        "Check that the members of the memberships may be admitted"
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        Document = pool.get('coop.membership.document')
        config = Configuration(1)
        majority_age = config.get_multivalue(
            'majority_age', company=company.id)
        entity_representative = config.get_multivalue(
            'entity_representative', company=company.id)
        documents = Document.search([
                ('company', '=', company.id),
                ])
        for membership in memberships:
            member = membership.member
            party = member.party
            date = membership.start_date
            last = member.memberships[-1] if member.memberships else None
            if last and (not last.end_date or last.end_date >= date):
                raise AdmissionError(gettext(
                        'coop_membership.msg_member_admit_overlap',
                        member=member.rec_name,
                        date=format_date(date),
                        start_date=format_date(last.start_date),
                        end_date=format_date(last.end_date)))
            consents = {c.document for c in member.consents if c.date <= date}
            for document in Document.required_at(documents, date):
                if document not in consents:
                    raise AdmissionError(gettext(
                            'coop_membership.msg_member_admit_consent',
                            member=member.rec_name,
                            document=document.rec_name))
            membership.check_age()
            age = party.get_age(date)
            if party.legal_entity:
                need_representative = entity_representative
            else:
                need_representative = age is not None and age < majority_age
            if need_representative and not any(
                    r.is_legal and r.is_valid(date)
                    for r in member.representatives):
                raise AdmissionError(gettext(
                        'coop_membership.msg_member_admit_representative',
                        member=member.rec_name))

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
