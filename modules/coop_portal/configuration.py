# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, Unique, fields
from trytond.pool import Pool
from trytond.pyson import Eval
from trytond.report import Report
from trytond.transaction import Transaction, without_check_access

from .color import INK, PAPER, READABLE, SOFT, STRONG, contrast, is_color
from .exceptions import ColorError


class Configuration(ModelSQL, ModelView):
    __name__ = 'coop.portal.configuration'
    __string__ = "Members' Portal"
    _rec_name = 'host'

    company = fields.Many2One('company.company', "Company", required=True)
    host = fields.Char(
        "Host Name", required=True,
        help="The name in the address of the site, without https://.")
    user = fields.Many2One(
        'res.user', "User", readonly=True, ondelete='RESTRICT',
        context={
            'company': Eval('company', -1),
            },
        help="The user with whose rights the portal acts for the members.\n"
        "Nobody signs in as this user.")
    join = fields.Boolean(
        "Join",
        help="Check to let everybody apply who has an e-mail address.")
    categories = fields.Many2Many(
        'coop.portal.configuration-coop.member.category', 'portal',
        'category', "Categories",
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': ~Eval('join', False),
            },
        help="For which one can apply.\n"
        "Leave empty for all of them.")
    shares = fields.Boolean(
        "Shares",
        help="Check to let members see their shares and ask for more.")
    use = fields.Boolean(
        "Use",
        help="Check to let members see and book what is shared.")
    meeting = fields.Boolean(
        "Meetings",
        help="Check to let members read what general meetings are about, and "
        "say whether they come.")
    color = fields.Char(
        "Color", strip=True,
        help="The color of links and buttons, as #14532d.\n"
        "Leave empty for green.")
    background_color = fields.Char(
        "Background Color", strip=True,
        help="The color behind the head of the page and what is chosen from, "
        "as #eef3f0.\n"
        "Leave empty for a light one.")
    welcome = fields.Text(
        "Welcome", translate=True,
        help="What members read on the first page.")
    privacy = fields.Text(
        "Privacy", translate=True,
        help="What visitors read on how their data is protected.")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        t = cls.__table__()
        cls._sql_constraints += [
            ('company_unique', Unique(t, t.company),
                'coop_portal.msg_configuration_company'),
            ('host_unique', Unique(t, t.host),
                'coop_portal.msg_configuration_host'),
            ]

    @classmethod
    def default_company(cls):
        return Transaction().context.get('company')

    @classmethod
    def default_join(cls):
        return False

    @classmethod
    def default_shares(cls):
        return True

    @classmethod
    def default_use(cls):
        return True

    @classmethod
    def default_meeting(cls):
        return True

    @classmethod
    def preprocess_values(cls, mode, values):
        values = super().preprocess_values(mode, values)
        if values.get('host'):
            values['host'] = values['host'].strip().lower()
        for name in ['color', 'background_color']:
            if values.get(name):
                values[name] = values[name].strip().lower()
        return values

    @classmethod
    def validate_fields(cls, configurations, field_names):
        super().validate_fields(configurations, field_names)
        if field_names and not field_names & {'color', 'background_color'}:
            return
        for configuration in configurations:
            configuration._check_colors()

    def _check_colors(self):
        "Check that everybody can read what is in the colors"
        for color in filter(None, [self.color, self.background_color]):
            if not is_color(color):
                raise ColorError(gettext(
                        'coop_portal.msg_configuration_color', color=color))
        color = self.color or STRONG
        background = self.background_color or SOFT
        for one, other in [
                (color, PAPER), (color, background), (INK, background)]:
            ratio = contrast(one, other)
            if ratio < READABLE:
                raise ColorError(gettext(
                        'coop_portal.msg_configuration_contrast',
                        one=one, other=other,
                        ratio=Report.format_number(ratio, None, digits=1),
                        least=Report.format_number(
                            READABLE, None, digits=1)))

    @classmethod
    def copy(cls, configurations, default=None):
        default = default.copy() if default is not None else {}
        default.setdefault('user')
        return super().copy(configurations, default=default)

    @classmethod
    def on_modification(cls, mode, configurations, field_names=None):
        super().on_modification(
            mode, configurations, field_names=field_names)
        if mode == 'create':
            for configuration in configurations:
                if not configuration.user:
                    configuration.user = configuration._create_user()
            cls.save(configurations)

    @property
    def open_categories(self):
        "The categories for which one can apply"
        Category = Pool().get('coop.member.category')
        return self.categories or Category.search([
                ('company', '=', self.company.id),
                ])

    def _create_user(self):
        pool = Pool()
        ModelData = pool.get('ir.model.data')
        User = pool.get('res.user')
        user = User(
            name=self.host, login=f'portal-{self.company.id}',
            companies=[self.company], company=self.company,
            groups=[ModelData.get_id('coop_portal', 'group_portal')])
        user.save()
        return user

    @classmethod
    def get_url(cls, path):
        "Return the address of the page in the portal of the company, if any"
        with without_check_access():
            for configuration in cls.search([
                        ('company', '=',
                            Transaction().context.get('company', -1))]):
                return f'https://{configuration.host}/{path}'


class ConfigurationCategory(ModelSQL):
    __name__ = 'coop.portal.configuration-coop.member.category'

    portal = fields.Many2One(
        'coop.portal.configuration', "Portal", required=True,
        ondelete='CASCADE')
    category = fields.Many2One(
        'coop.member.category', "Category", required=True,
        ondelete='CASCADE')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add('portal')
