# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from trytond.model import fields
from trytond.modules.coop_membership.remittance import find_references
from trytond.pool import Pool, PoolMeta

from .banked import BankedMixin


class StatementLine(metaclass=PoolMeta):
    __name__ = 'account.statement.line'

    @classmethod
    def __setup__(cls):
        pool = Pool()
        super().__setup__()
        for name in cls.banked_documents():
            cls.related_to.domain[name] = pool.get(name).bank_domain()

    @classmethod
    def banked_documents(cls):
        "Return the names of the documents that statement lines pay"
        return [
            'coop.share.subscription',
            'coop.share.redemption',
            'coop.share.dividend.line',
            ]

    @classmethod
    def _get_relations(cls):
        return super()._get_relations() + cls.banked_documents()

    @classmethod
    def find_requested(cls, company, texts):
        """Return the document whose payment reference is in the texts

        If it is open, and the only one.
        """
        pool = Pool()
        references = [r for text in texts for r in find_references(text)]
        found = []
        if references:
            for name in cls.banked_documents():
                Model = pool.get(name)
                if 'payment_reference' in Model._fields:
                    found.extend(Model.search([
                                (Model._bank_company, '=', company.id),
                                ('payment_reference', 'in', references),
                                Model.bank_open_domain(),
                                ], limit=2))
        if len(found) == 1:
            return found[0]

    @property
    @fields.depends('related_to')
    def banked_document(self):
        "The document the line pays, if it is one of the cooperative"
        related_to = getattr(self, 'related_to', None)
        if isinstance(related_to, BankedMixin) and related_to.id >= 0:
            return related_to

    @fields.depends('party', 'account', methods=['banked_document'])
    def on_change_related_to(self):
        super().on_change_related_to()
        document = self.banked_document
        if document:
            if not self.party:
                self.party = document.bank_party
            self.account = document.bank_account or self.account

    @fields.depends('party', methods=['banked_document'])
    def on_change_party(self):
        document = self.banked_document
        if document and self.party not in document.payers:
            self.related_to = None
        super().on_change_party()

    @fields.depends(
        'origin', '_parent_origin.information', 'description',
        methods=['_relate_requested'])
    def on_change_origin(self):
        super().on_change_origin()
        information = (self.origin.information if self.origin else None) or {}
        self._relate_requested([
                self.description or '',
                *(v for v in information.values() if isinstance(v, str))])

    @fields.depends('description', methods=['_relate_requested'])
    def on_change_description(self):
        self._relate_requested([self.description or ''])

    @fields.depends(
        'related_to', 'amount', 'party', 'company',
        methods=['on_change_related_to'])
    def _relate_requested(self, texts):
        if (getattr(self, 'related_to', None) or not self.company
                or not self.amount or self.amount < 0):
            return
        document = self.find_requested(self.company, texts)
        if document and (
                not self.party or self.party in document.payers):
            self.related_to = document
            self.on_change_related_to()

    @classmethod
    def post_move(cls, lines):
        super().post_move(lines)
        by_model = defaultdict(list)
        for line in lines:
            document = line.banked_document
            if document:
                by_model[document.__class__].append(line)
        for Model, m_lines in by_model.items():
            Model.bank_settle(m_lines)
