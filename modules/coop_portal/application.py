# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""What somebody writes who wants to become a member"""
from trytond.i18n import gettext
from trytond.model import ModelSQL, fields
from trytond.modules.coop_membership.document import PartMixin
from trytond.modules.coop_membership.exceptions import SimilarMemberWarning
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction, check_access

from .exceptions import RequestError


def for_kind(*kinds, required=False):
    "Return the states of a field that only requests of the kinds have"
    kinds = list(kinds)
    states = {'invisible': ~Eval('kind').in_(kinds)}
    if required:
        states['required'] = Eval('kind').in_(kinds)
    return states


class ApplicationMixin:
    "The request of somebody who is no member yet"
    __slots__ = ()

    category = fields.Many2One(
        'coop.member.category', "Category", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=for_kind('application', required=True))
    name = fields.Char(
        "Name", states=for_kind('application', required=True),
        help="The name of the person or the legal entity that applies.")
    legal_entity = fields.Boolean(
        "Legal Entity", states=for_kind('application'),
        help="Check if who applies is not a person.")
    birth_date = fields.Date(
        "Birth Date",
        states={
            'invisible': (
                (Eval('kind') != 'application')
                | Eval('legal_entity', False)),
            })
    representative = fields.Char(
        "Represented by", states=for_kind('application'),
        help="The name of the person who acts for a legal entity, or for "
        "somebody who is not of age.")
    language = fields.Many2One(
        'ir.lang', "Language", ondelete='RESTRICT',
        states=for_kind('application'),
        help="In which the applicant is written to.")
    consents = fields.Many2Many(
        'coop.portal.request-coop.membership.document', 'request',
        'document', "Consents",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states=for_kind('application'),
        help="The documents to which the applicant has agreed.")
    party = fields.Many2One(
        'party.party', "Party", ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        depends={'company'}, states=for_kind('application'),
        help="The party that becomes the applicant.\n"
        "Leave empty for a new one, or the one of the web user.")

    @classmethod
    def default_legal_entity(cls):
        return False

    @classmethod
    def validate_fields(cls, requests, field_names):
        super().validate_fields(requests, field_names)
        if field_names and not (field_names & {
                    'kind', 'category', 'legal_entity', 'birth_date',
                    'representative', 'date', 'user'}):
            return
        for request in requests:
            if request.kind == 'application' and (
                    request.state == 'requested'):
                request._check_application()

    def _check_application(self):
        "Check who has to act for the applicant, and who may apply at all"
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        Member = pool.get('coop.member')
        age = self._age
        if self.legal_entity:
            if not self.representative:
                raise RequestError(gettext(
                        'coop_portal.msg_application_entity'))
        else:
            minimum = self.category.minimum_age
            majority = Configuration(1).get_multivalue(
                'majority_age', company=self.company.id)
            if age is None and not self.representative:
                raise RequestError(gettext(
                        'coop_portal.msg_application_birth_date'))
            if age is not None and minimum and age < minimum:
                raise RequestError(gettext(
                        'coop_portal.msg_application_age', age=minimum))
            if (age is not None and age < majority
                    and not self.representative):
                raise RequestError(gettext(
                        'coop_portal.msg_application_minor'))
        party = self.user.party if self.user else None
        if party and not self.representative and Member.search([
                    ('company', '=', self.company.id),
                    ('party', '=', party.id),
                    ], limit=1):
            raise RequestError(gettext('coop_portal.msg_application_member'))

    @property
    def _age(self):
        Party = Pool().get('party.party')
        return Party(
            legal_entity=self.legal_entity, birth_date=self.birth_date,
            ).get_age(self.date)

    def accept_application(self):
        "Make an applicant of who has applied"
        pool = Pool()
        Access = pool.get('ir.model.access')
        Member = pool.get('coop.member')
        with check_access():
            Access.check('coop.member', 'create')
        party = self.party
        own = self.user.party if self.user else None
        representatives = []
        if self.representative:
            own = own or self._create_party(self.representative)
            representatives.append({
                    'party': own.id,
                    'role': (
                        'legal_representative' if self.legal_entity
                        else 'guardian'),
                    })
        else:
            party = own = party or own or self._create_applicant()
        if not party:
            party = self._create_applicant()
        member, = Member.create([{
                    'company': self.company.id,
                    'party': party.id,
                    'category': self.category.id,
                    'application_date': self.date,
                    'representatives': [('create', representatives)],
                    'consents': [('create', [{
                                    'document': d.id,
                                    'date': self.date,
                                    'method': 'electronic',
                                    } for d in self.consents])],
                    }])
        self._warn_similar(member)
        if self.user and not self.user.party:
            self.user.party = own
            self.user.save()
        self.party = party
        self.member = member
        self.save()

    def _warn_similar(self, member):
        "Warn the clerk, whom the applicant is not told of"
        pool = Pool()
        Member = pool.get('coop.member')
        Warning = pool.get('res.user.warning')
        for other, column in Member.find_similar([member]).values():
            # The applicant gets another id when it is asked again
            key = Warning.format('application_similar', [self])
            if Warning.check(key):
                raise SimilarMemberWarning(key, gettext(
                        'coop_membership.msg_member_similar',
                        member=member.rec_name, other=other.rec_name,
                        same=Member._similar_label(column)))

    def _create_applicant(self):
        return self._create_party(
            self.name, legal_entity=self.legal_entity,
            birth_date=None if self.legal_entity else self.birth_date,
            addresses=[('create', [{
                            'street': self.street,
                            'postal_code': self.postal_code,
                            'city': self.city,
                            'country': (
                                self.country.id if self.country else None),
                            }])])

    def _create_party(self, name, **values):
        Party = Pool().get('party.party')
        party, = Party.create([{
                    'name': name,
                    'lang': self.language.id if self.language else None,
                    'contact_mechanisms': [('create', [{
                                    'type': 'email',
                                    'value': self.email,
                                    }])],
                    **values,
                    }])
        return party

    @classmethod
    def papers(cls, company):
        """Return the documents that an applicant agrees to today

        Each with whether nobody is admitted without.
        """
        pool = Pool()
        Date = pool.get('ir.date')
        Document = pool.get('coop.membership.document')
        with Transaction().set_context(company=company):
            today = Date.today()
        documents = Document.search([
                ('company', '=', company),
                ('valid_from', '<=', today),
                ], order=[('valid_from', 'ASC'), ('id', 'ASC')])
        in_force = {d.name: d for d in documents}
        return [(d, d.required) for d in in_force.values()]


class RequestDocument(PartMixin, ModelSQL):
    __name__ = 'coop.portal.request-coop.membership.document'
    _document = 'request'

    request = fields.Many2One(
        'coop.portal.request', "Request", required=True, ondelete='CASCADE')
    document = fields.Many2One(
        'coop.membership.document', "Document", required=True,
        ondelete='RESTRICT')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('request')
