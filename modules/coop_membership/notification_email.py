# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import fields
from trytond.pool import Pool, PoolMeta
from trytond.transaction import Transaction

from .letter import LetterReport

# The key of the context in which members are not written to
NO_LETTERS = 'coop_no_letters'

letters_by_email = fields.Boolean(
    "Letters by E-mail",
    help="Check to send the letters to the members as e-mails, as the e-mail "
    "notifications say.")


class Configuration(metaclass=PoolMeta):
    __name__ = 'coop.membership.configuration'

    letters_by_email = fields.MultiValue(letters_by_email)

    @classmethod
    def multivalue_model(cls, field):
        if field == 'letters_by_email':
            return Pool().get('coop.membership.configuration.rule')
        return super().multivalue_model(field)

    @classmethod
    def default_letters_by_email(cls, **pattern):
        return cls.multivalue_model(
            'letters_by_email').default_letters_by_email()


class ConfigurationRule(metaclass=PoolMeta):
    __name__ = 'coop.membership.configuration.rule'

    letters_by_email = letters_by_email

    @classmethod
    def default_letters_by_email(cls):
        return False


class EmailTemplate(metaclass=PoolMeta):
    __name__ = 'ir.email.template'

    @classmethod
    def email_models(cls):
        return super().email_models() + ['coop.member']

    @classmethod
    def _get_recipients(cls, value):
        "Return the parties who get the letters in the place of members"
        pool = Pool()
        Date = pool.get('ir.date')
        Member = pool.get('coop.member')
        values = value if isinstance(value, (list, tuple)) else [value]
        recipients = []
        for record in values:
            if isinstance(record, Member):
                with Transaction().set_context(company=record.company.id):
                    today = Date.today()
                recipients.extend(record.recipients(today))
            else:
                recipients.append(record)
        return recipients

    @classmethod
    def get_addresses(cls, value):
        return super().get_addresses(cls._get_recipients(value))

    @classmethod
    def get_languages(cls, value):
        return super().get_languages(cls._get_recipients(value))


class Email(metaclass=PoolMeta):
    __name__ = 'notification.email'

    def send_email(self, records, trigger):
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        Report = pool.get(self.content.report_name, type='report')
        if issubclass(Report, LetterReport):
            if Transaction().context.get(NO_LETTERS):
                return
            configuration = Configuration(1)
            records = [
                r for r in records
                if configuration.get_multivalue(
                    'letters_by_email', company=r.company.id)]
        if records:
            super().send_email(records, trigger)
