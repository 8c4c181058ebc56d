# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, Workflow, fields
from trytond.modules.company.model import employee_field, set_employee
from trytond.modules.coop_membership.document import DocumentMixin
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.transaction import Transaction, check_access, without_check_access

from .application import ApplicationMixin, for_kind
from .exceptions import RequestError

# What one user of the portal may have waiting for an answer
OPEN = 20


class Request(
        ApplicationMixin, DocumentMixin, Workflow, ModelSQL, ModelView):
    __name__ = 'coop.portal.request'
    __string__ = "Member's Request"
    _steps = {
        'accept': (['requested'], 'accepted'),
        'refuse': (['requested'], 'refused'),
        'withdraw': (['requested'], 'withdrawn'),
        }
    _search_names = 'member.rec_name', 'name', 'text'
    _initial_state = 'requested'
    _work = (('requested', 'reply', 'date'),)

    member = fields.Many2One(
        'coop.member', "Member", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'required': (
                (Eval('kind') != 'application')
                | (Eval('state') == 'accepted')),
            'readonly': Eval('kind') == 'application',
            },
        help="Empty as long as it is an application.")
    kind = fields.Selection([
            ('application', "Application"),
            ('address', "Change of Address"),
            ('email', "Change of E-mail"),
            ('notice', "Notice"),
            ('other', "Other"),
            ], "Kind", required=True, sort=False,
        help="What the member wants.")
    kind_string = kind.translated('kind')
    date = fields.Date(
        "Date", required=True, readonly=True,
        help="The day on which the request was received.")
    user = fields.Many2One(
        'web.user', "Web User", readonly=True, ondelete='RESTRICT',
        help="Who has sent the request.\n"
        "Empty if it was entered by the office.")
    text = fields.Text("Message")
    street = fields.Text(
        "Street",
        states=for_kind('address', 'application', required=True))
    postal_code = fields.Char(
        "Postal Code", states=for_kind('address', 'application'))
    city = fields.Char(
        "City", states=for_kind('address', 'application', required=True))
    country = fields.Many2One(
        'country.country', "Country", ondelete='RESTRICT',
        states=for_kind('address', 'application'))
    email = fields.Char(
        "E-mail", states=for_kind('email', 'application', required=True))
    exit_date = fields.Function(fields.Date(
            "Exit Date", states=for_kind('notice'),
            help="The last day of the membership if the notice is accepted."),
        'on_change_with_exit_date')
    answer = fields.Text(
        "Answer",
        help="What the member reads as the answer.")
    answered_by = employee_field(
        "Answered by", states=['accepted', 'refused'])
    state = fields.Selection([
            ('requested', "Requested"),
            ('accepted', "Accepted"),
            ('refused', "Refused"),
            ('withdrawn', "Withdrawn"),
            ], "State", required=True, readonly=True, sort=False)
    state_string = state.translated('state')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls._order = [('date', 'DESC'), ('id', 'DESC')]

    @classmethod
    def default_date(cls):
        return Pool().get('ir.date').today()

    @classmethod
    def default_user(cls):
        if Pool().get('web.user').is_portal():
            return Transaction().context.get('portal_user')

    def get_rec_name(self, name):
        who = self.member.rec_name if self.member else self.name
        return f'{self.kind_string} @ {who}'

    @fields.depends('kind', 'member', 'date')
    def on_change_with_exit_date(self, name=None):
        if self.kind != 'notice' or not self.member or not self.date:
            return
        # The member asks, who may read neither years nor rules
        with without_check_access():
            member = self.member.__class__(self.member.id)
            if member.state == 'member':
                member.notice_date = self.date
                member.exit_reason = 'resignation'
                member.on_change_exit_reason()
            return member.exit_date

    def exit_amounts(self):
        "Return what the member holds at the exit, as names and amounts"
        return []

    @classmethod
    def kinds_for(cls, member, parts):
        """Return by kind what it is called, for what the member may ask

        `parts` are those of the portal that are open.
        """
        kinds = dict(cls.fields_get(['kind'])['kind']['selection'])
        kinds.pop('application')
        if ('shares' not in parts
                or member.state not in {'applicant', 'member', 'leaving'}):
            kinds.pop('shares', None)
        if member.state != 'member':
            kinds.pop('notice')
        return kinds

    @classmethod
    def check_modification(cls, mode, requests, values=None, external=False):
        User = Pool().get('web.user')
        super().check_modification(
            mode, requests, values=values, external=external)
        if mode == 'create' and external and User.is_portal():
            for user in {r.user for r in requests}:
                if cls.search([
                            ('user', '=', user),
                            ('state', '=', 'requested'),
                            ], count=True) > OPEN:
                    raise RequestError(gettext(
                            'coop_portal.msg_request_open'))

    @classmethod
    @ModelView.button
    @Workflow.transition('accepted')
    @set_employee('answered_by')
    def accept(cls, requests):
        cls.lock(requests)
        for request in requests:
            getattr(request, f'accept_{request.kind}')()

    def accept_other(self):
        "What is written is answered by a person"

    def accept_address(self):
        "Let the new address take the place of the one that letters go to"
        Address = Pool().get('party.address')
        party = self.member.party
        former = party.address_get()
        Address.create([{
                    'party': party.id,
                    'street': self.street,
                    'postal_code': self.postal_code,
                    'city': self.city,
                    'country': self.country.id if self.country else None,
                    'sequence': former.sequence if former else None,
                    }])
        if former:
            # Documents keep the address that they were sent to
            former.active = False
            former.save()

    def accept_email(self):
        Mechanism = Pool().get('party.contact_mechanism')
        party = self.member.party
        mechanism = party.contact_mechanism_get('email')
        if not mechanism:
            mechanism = Mechanism(party=party, type='email')
        mechanism.value = self.email
        mechanism.save()

    def accept_notice(self):
        Member = Pool().get('coop.member')
        member = Member(self.member.id)
        if member.state != 'member':
            raise RequestError(gettext(
                    'coop_portal.msg_request_notice_state',
                    member=member.rec_name))
        with check_access():
            member = Member(member.id)
            member.notice_date = self.date
            member.exit_reason = 'resignation'
            member.exit_date = None
            member.save()
            Member.give_notice([member])

    @classmethod
    @ModelView.button
    @Workflow.transition('refused')
    @set_employee('answered_by')
    def refuse(cls, requests):
        cls.check_step('refuse', requests, error=RequestError)

    @classmethod
    def refusals_refuse(cls, requests):
        "Nobody is refused without a word"
        return {
            r: gettext(
                'coop_portal.msg_request_refuse_answer', request=r.rec_name)
            for r in requests if not r.answer}

    @classmethod
    @ModelView.button
    @Workflow.transition('withdrawn')
    def withdraw(cls, requests):
        pass
