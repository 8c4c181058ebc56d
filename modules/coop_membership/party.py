# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from dateutil.relativedelta import relativedelta

from trytond.i18n import gettext
from trytond.model import fields
from trytond.pool import PoolMeta
from trytond.pyson import Eval

from .exceptions import MemberValidationError


class Party(metaclass=PoolMeta):
    __name__ = 'party.party'

    legal_entity = fields.Boolean("Legal Entity",
        help="Check if the party is not a natural person.")
    birth_date = fields.Date("Birth Date",
        states={
            'invisible': Eval('legal_entity', False),
            })
    members = fields.One2Many(
        'coop.member', 'party', "Memberships", readonly=True)

    @classmethod
    def default_legal_entity(cls):
        return False

    def get_age(self, date):
        "Return the age in years at the date if the birth date is known"
        if self.birth_date and not self.legal_entity:
            return relativedelta(date, self.birth_date).years

    @classmethod
    def copy(cls, parties, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('members', None)
        return super().copy(parties, default=default)


class Replace(metaclass=PoolMeta):
    __name__ = 'party.replace'

    def check_similarity(self):
        super().check_similarity()
        companies = {m.company for m in self.ask.source.members}
        if companies & {m.company for m in self.ask.destination.members}:
            raise MemberValidationError(gettext(
                    'coop_membership.msg_member_party_unique'))

    @classmethod
    def fields_to_replace(cls):
        return super().fields_to_replace() + [
            ('coop.member', 'party'),
            ('coop.member.representative', 'party'),
            ('coop.member.holder', 'party'),
            ('coop.member.person', 'party'),
            ('coop.meeting.attendance', 'representative'),
            ('coop.meeting.item', 'candidate'),
            ('coop.meeting.candidate', 'party'),
            ('coop.meeting', 'chair'),
            ('coop.meeting', 'secretary'),
            ('coop.member.office', 'party'),
            ]
