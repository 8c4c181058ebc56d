# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import re
from io import BytesIO
from zipfile import ZipFile

import polib
from lxml import etree

from trytond.modules.account.tests import create_chart, get_fiscalyear
from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop.tests.translations import (
    EXTRAS, LANGUAGES, MODULES, po_path, set_sources)
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class TranslationsTestCase(DatabaseTestCase):
    "Test the texts in each language"
    module = 'coop'
    extras = EXTRAS

    @with_transaction()
    def test_report_languages(self):
        "Test the report to the assembly is printed in each language"
        pool = Pool()
        Report = pool.get('coop.assembly.report', type='report')
        Translation = pool.get('ir.translation')
        company = create_company()
        with set_company(company):
            create_chart(company)
            fiscalyear = get_fiscalyear(company)
            fiscalyear.save()
            fiscalyear.create_period([fiscalyear])

            def print_texts(language):
                with Transaction().set_context(language=language):
                    extension, content, *_ = Report.execute([fiscalyear.id], {
                            'model': 'account.fiscalyear',
                            'ids': [fiscalyear.id],
                            'meeting': None,
                            })
                self.assertEqual(extension, 'odt')
                with ZipFile(BytesIO(content)) as document:
                    tree = etree.fromstring(document.read('content.xml'))
                return {' '.join(t.split()) for t in tree.itertext()}

            printed = print_texts('en')
            self.assertIn("Balance Sheet", printed)
            for language in LANGUAGES:
                path = str(po_path('coop', language))
                Translation.translation_import(language, 'coop', path)
                translated = [
                    e.msgstr for e in polib.pofile(path)
                    if e.msgctxt == 'report:coop.assembly.report:'
                    and e.msgid in printed]
                self.assertGreater(len(translated), 10)
                self.assertEqual(
                    set(translated) - print_texts(language), set())

    @with_transaction()
    def test_translations(self):
        "Test every text is translated with the same placeholders"
        Translation = Pool().get('ir.translation')

        def texts(source):
            return {(e.msgctxt, e.msgid): e for e in polib.pofile(source)}

        set_sources()
        for module in MODULES:
            sources = texts(
                Translation.translation_export('en', module).decode())
            for language in LANGUAGES:
                with self.subTest(module=module, language=language):
                    entries = texts(str(po_path(module, language)))
                    self.assertEqual(
                        entries.keys() ^ sources.keys(), set(),
                        "bin/translations")
                    self.assertEqual([
                            key for key, entry in entries.items()
                            if not entry.translated()], [])
                    self.assertEqual([
                            key for key, entry in entries.items()
                            if placeholders(entry.msgid)
                            != placeholders(entry.msgstr)], [])


def placeholders(text):
    return sorted(re.findall(r'%\(\w+\)\w|%%', text))
