# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, fields
from trytond.pool import Pool
from trytond.pyson import Eval

from .date import format_date
from .exceptions import MemberValidationError
from .member_party import MemberPartyMixin, valid


class Person(MemberPartyMixin, ModelSQL, ModelView):
    __name__ = 'coop.member.person'
    __string__ = "Person of a Member"

    licence = fields.Char("Licence",
        help="The licence or the card by which the person may use what the "
        "member may.")
    licence_until = fields.Date("Licence until",
        help="The last day on which the licence is valid.\n"
        "Leave empty if it does not expire.")

    def is_valid(self, date):
        return (super().is_valid(date)
            and (not self.licence_until or self.licence_until >= date))

    @classmethod
    def validate_fields(cls, persons, field_names):
        Date = Pool().get('ir.date')
        super().validate_fields(persons, field_names)
        for member in {p.member for p in persons}:
            limit = member.category and member.category.person_limit
            if limit is None:
                continue
            for date in {
                    p.start_date or Date.today() for p in member.persons}:
                # Whose licence is out counts too
                named = [
                    p for p in member.persons
                    if super(Person, p).is_valid(date)]
                if len(named) > limit:
                    raise MemberValidationError(gettext(
                            'coop_membership.msg_member_person_limit',
                            member=member.rec_name,
                            limit=limit,
                            number=len(named),
                            date=format_date(date)))


class PersonMixin:
    "Let others use what the member may, who pays for them"
    __slots__ = ()

    persons = fields.One2Many(
        'coop.member.person', 'member', "Persons",
        states={
            'invisible': (
                ~Eval('with_persons', False) & ~Eval('persons', [0])),
            },
        help="Who may use what the member may, who pays for them.")
    with_persons = fields.Function(
        fields.Boolean("Persons of Members"), 'on_change_with_with_persons')

    @fields.depends('company')
    def on_change_with_with_persons(self, name=None):
        Configuration = Pool().get('coop.membership.configuration')
        if self.company:
            return Configuration(1).get_multivalue(
                'persons', company=self.company.id)

    def refuse_person(self, party, start, end=None):
        """Return a text if the party may not use what the member may

        On all days from start to end, if persons are kept at all.
        """
        if not self.with_persons:
            return
        for date in {start, end or start}:
            if party not in [
                    *self.holders_at(date),
                    *(p.party for p in valid(self.persons, date))]:
                return gettext(
                    'coop_membership.msg_member_person',
                    person=party.rec_name,
                    member=self.rec_name,
                    date=format_date(date))
