# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

import trytond.config as config
from trytond.exceptions import RateLimitException
from trytond.model import fields
from trytond.pool import Pool, PoolMeta
from trytond.transaction import Transaction, without_check_access

# Who has not confirmed the address until then does not come any more
UNCONFIRMED = dt.timedelta(days=7)
# How many letters are asked for from one network, before it is a robot
LETTERS = 20


class User(metaclass=PoolMeta):
    __name__ = 'web.user'

    members = fields.Function(fields.Many2Many(
            'coop.member', None, None, "Members",
            help="The members whom the user is, or acts for as their "
            "guardian or legal representative."),
        'get_members')

    @classmethod
    def get_members(cls, users, name):
        pool = Pool()
        Date = pool.get('ir.date')
        Member = pool.get('coop.member')
        Representative = pool.get('coop.member.representative')
        parties = {u.party for u in users if u.party}
        by_party = {party: [] for party in parties}
        with without_check_access():
            ids = [p.id for p in parties]
            for member in Member.search([('party', 'in', ids)]):
                by_party[member.party].append(member.id)
            today = {}
            for representative in Representative.search([
                        ('party', 'in', ids)]):
                company = representative.member.company
                if company not in today:
                    with Transaction().set_context(company=company.id):
                        today[company] = Date.today()
                if (representative.is_legal
                        and representative.is_valid(today[company])):
                    by_party[representative.party].append(
                        representative.member.id)
        return {
            u.id: sorted(set(by_party[u.party])) if u.party else []
            for u in users}

    @classmethod
    def acting_members(cls):
        """Return the ids of the members whom the portal acts for

        They hold only for the users of the portals.
        """
        return tuple(Transaction().context.get('portal_members') or ())

    @classmethod
    def is_portal(cls):
        "Return whether the portal acts, for a member"
        pool = Pool()
        ModelData = pool.get('ir.model.data')
        ResUser = pool.get('res.user')
        return ModelData.get_id(
            'coop_portal', 'group_portal') in ResUser.get_groups()

    @classmethod
    def sign_in(cls, email, password):
        "Return the key of a new session, or nothing"
        user = cls.authenticate(email, password)
        if not user:
            if not cls.search([('email', '=', email.lower())], limit=1):
                # It takes as long as for an address that is known
                cls.hash_password(password)
        elif user.email_valid:
            return user.new_session()

    @classmethod
    def _limit_letters(cls, email):
        "Check that neither one address nor all of them are flooded"
        Attempt = Pool().get('web.user.authenticate.attempt')
        _, network = Transaction().remote_address()
        login = f'letter {email.lower()}'
        recent = [('create_date', '>=', Attempt.delay())]
        if (Attempt.count(login) >= config.getint(
                    'session', 'max_attempt', default=5)
                or Attempt.search([
                        ('login', 'like', 'letter %'),
                        ('ip_network', '=',
                            str(network) if network else None),
                        *recent,
                        ], count=True) >= LETTERS):
            raise RateLimitException()
        Attempt.add(login)

    @classmethod
    def invite(cls, email):
        """Send a link to the address of who wants to join

        Nothing else is kept until it is used.
        """
        cls._limit_letters(email)
        users = cls.search([('email', '=', email.lower())])
        if not users:
            users = cls.create([{'email': email}])
        cls.reset_password(users)

    @classmethod
    def purge_unconfirmed(cls):
        "Delete the users who have never confirmed their address"
        Request = Pool().get('coop.portal.request')
        before = dt.datetime.now() - UNCONFIRMED
        users = cls.search([
                ('email_valid', '=', False),
                ('party', '=', None),
                ('create_date', '<', before),
                ])
        kept = {r.user for r in Request.search([
                    ('user', 'in', [u.id for u in users]),
                    ])}
        cls.delete([u for u in users if u not in kept])

    @classmethod
    def send_link(cls, email):
        """Send the user of the address a link to choose a password

        Who has not confirmed the address yet does so by it.
        """
        cls._limit_letters(email)
        for user in cls.search([('email', '=', email.lower())]):
            cls.reset_password([user])

    @classmethod
    def choose_password(cls, email, token, password):
        "Return whether the password is set, since the link was good"
        ResUser = Pool().get('res.user')
        users = cls.search([('email', '=', email.lower())])
        ResUser.validate_password(password, users)
        done = bool(token) and cls.set_password_token(email, token, password)
        if done:
            # The link came by e-mail
            cls.write(users, {'email_valid': True})
        return done

    def get_email_reset_password_url(self, url=None):
        Configuration = Pool().get('coop.portal.configuration')
        if url is None:
            url = Configuration.get_url('password')
        return super().get_email_reset_password_url(url=url)

    @classmethod
    def on_modification(cls, mode, users, field_names=None):
        Session = Pool().get('web.user.session')
        super().on_modification(mode, users, field_names=field_names)
        if mode == 'write' and 'password_hash' in field_names:
            with without_check_access():
                Session.delete(Session.search([
                            ('user', 'in', [u.id for u in users])]))
