<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
    <context>
        <name>Sunbreak</name>
        <message>
            <source>{parameter}: {value} cannot be opened as a raster. Check that the file exists.</source>
            <translation>{parameter}: {value} lässt sich nicht als Raster öffnen. Prüfen Sie, ob die Datei vorhanden ist.</translation>
        </message>
        <message>
            <source>This run gives no "{what}": the output is skipped.</source>
            <translation>Dieser Lauf liefert „{what}“ nicht: Die Ausgabe wird übersprungen.</translation>
        </message>
        <message>
            <source>{title}: {path} does not end in "{suffix}", the only file type for this output.</source>
            <translation>{title}: {path} endet nicht auf „{suffix}“, den einzigen Dateityp für diese Ausgabe.</translation>
        </message>
        <message>
            <source>{title} and {other} have the same file name: {path}. Choose another one.</source>
            <translation>{title} und {other} haben denselben Dateinamen: {path}. Wählen Sie einen anderen.</translation>
        </message>
        <message>
            <source>The backend did not write the layer "{role}".</source>
            <translation>Das Backend hat den Layer „{role}“ nicht geschrieben.</translation>
        </message>
        <message>
            <source>{title} would replace the input ({source}): {path}. Choose another file name.</source>
            <translation>{title} würde die Eingabe ({source}) ersetzen: {path}. Wählen Sie einen anderen Dateinamen.</translation>
        </message>
        <message>
            <source>Classify land cover</source>
            <translation>Landbedeckung klassifizieren</translation>
        </message>
        <message>
            <source>Land cover</source>
            <translation>Landbedeckung</translation>
        </message>
        <message>
            <source>Land cover of a Sentinel-2 scene, with its confidence and the evidence behind it.</source>
            <translation>Landbedeckung einer Sentinel-2-Szene mit Konfidenz und Evidenz.</translation>
        </message>
        <message>
            <source>Classifies the land cover of a Sentinel-2 scene. There are two kinds of classifiers. A pixel classifier gives a class to each pixel (cells of 10 m). A patch classifier runs on overlapping patches, whose probabilities are blended onto larger cells. Its stride sets their size; with a pixel classifier, leave the stride empty.

The input is one raster with the Sentinel-2 bands (the band names are read from the band descriptions), or a layer of a Sentinel-2 product. Sentinel-1 is needed only for classifiers that were trained with it.

For a cleaned scene, also give its layer "Reconstructed". The evidence then includes how much of each cell is based on reconstructed pixels.

Confidence is the probability of the assigned class. Entropy ranges from 0 (one class is certain) to 1 (all classes are equally probable). Probabilities have one band per class. From a pixel classifier they make a large file: about 2 GB for a full tile with nine classes. Evidence says what a cell's class is based on: the fraction of its patches, or of its pixel, that has data, and the fraction that was reconstructed.

The log lists the area of each class in hectares. If the classifier's errors are known, it also gives the area adjusted for them, with a 95 % confidence interval.</source>
            <translation>Klassifiziert die Landbedeckung einer Sentinel-2-Szene. Es gibt zwei Arten von Klassifikatoren. Ein Pixelklassifikator gibt jedem Pixel eine Klasse (Zellen von 10 m). Ein Ausschnittklassifikator läuft über einander überlappende Ausschnitte, deren Wahrscheinlichkeiten auf größere Zellen gemittelt werden. Die Schrittweite legt deren Größe fest; lassen Sie sie bei einem Pixelklassifikator leer.

Die Eingabe ist ein Raster mit den Sentinel-2-Bändern (die Bandnamen werden aus den Bandbeschreibungen gelesen) oder ein Layer eines Sentinel-2-Produkts. Sentinel-1 wird nur für Klassifikatoren gebraucht, die damit trainiert wurden.

Geben Sie für eine bereinigte Szene auch ihren Layer „Rekonstruiert“ an. Die Evidenz enthält dann auch, wie viel von jeder Zelle auf rekonstruierten Pixeln beruht.

Die Konfidenz ist die Wahrscheinlichkeit der zugewiesenen Klasse. Die Entropie reicht von 0 (eine Klasse ist sicher) bis 1 (alle Klassen sind gleich wahrscheinlich). Die Wahrscheinlichkeiten haben ein Band je Klasse. Bei einem Pixelklassifikator werden sie eine große Datei: etwa 2 GB für eine volle Kachel mit neun Klassen. Die Evidenz sagt, worauf die Klasse einer Zelle beruht: der Anteil ihrer Ausschnitte oder ihres Pixels, der Daten hat, und der Anteil, der rekonstruiert wurde.

Das Protokoll listet die Fläche jeder Klasse in Hektar auf. Sind die Fehler des Klassifikators bekannt, nennt es auch die um sie korrigierte Fläche mit ihrem 95-%-Konfidenzintervall.</translation>
        </message>
        <message>
            <source>Classifier (empty: the backend's default)</source>
            <translation>Klassifikator (leer: Voreinstellung des Backends)</translation>
        </message>
        <message>
            <source>Reconstructed fraction, for a cleaned scene</source>
            <translation>Rekonstruierter Anteil, für eine bereinigte Szene</translation>
        </message>
        <message>
            <source>Unit of the Sentinel-1 values</source>
            <translation>Einheit der Sentinel-1-Werte</translation>
        </message>
        <message>
            <source>Classifier from a file (card or weights; overrides the one above)</source>
            <translation>Klassifikator aus einer Datei (Modellkarte oder Gewichte; hat Vorrang vor dem obigen)</translation>
        </message>
        <message>
            <source>Device</source>
            <translation>Gerät</translation>
        </message>
        <message>
            <source>Confidence</source>
            <translation>Konfidenz</translation>
        </message>
        <message>
            <source>Entropy</source>
            <translation>Entropie</translation>
        </message>
        <message>
            <source>Probabilities</source>
            <translation>Wahrscheinlichkeiten</translation>
        </message>
        <message>
            <source>Evidence</source>
            <translation>Evidenz</translation>
        </message>
        <message>
            <source>Mean confidence (0 to 1)</source>
            <translation>Mittlere Konfidenz (0 bis 1)</translation>
        </message>
        <message>
            <source>Reconstructed fraction of the evidence (0 to 1)</source>
            <translation>Rekonstruierter Anteil der Evidenz (0 bis 1)</translation>
        </message>
        <message>
            <source>Run time in seconds</source>
            <translation>Laufzeit in Sekunden</translation>
        </message>
        <message>
            <source>Area of each class (JSON)</source>
            <translation>Fläche jeder Klasse (JSON)</translation>
        </message>
        <message>
            <source>Clean, classify, explain</source>
            <translation>Bereinigen, klassifizieren, erklären</translation>
        </message>
        <message>
            <source>Removes the clouds of a Sentinel-2 scene, classifies the land cover and maps how far it can be trusted.</source>
            <translation>Entfernt die Wolken einer Sentinel-2-Szene, klassifiziert die Landbedeckung und kartiert, wie verlässlich sie ist.</translation>
        </message>
        <message>
            <source>Runs all steps in one go. It detects the clouds and shadows of a Sentinel-2 scene, or takes them from your own mask, and removes them with the help of Sentinel-1 radar. It then classifies the land cover of the cleaned scene, explains the classification and maps how far each class can be trusted.

Sentinel-2 is one raster with the bands (the band names are read from the band descriptions), or a layer of a Sentinel-2 product. Sentinel-1 is one terrain-corrected raster with VV and VH, in dB or linear power. Level-1C and Level-2A are cleaned, with or without a scene classification (SCL).

Land cover has a class for each pixel, or for larger cells if the classifier works on patches. Only a patch classifier takes a stride. Probabilities have one band per class; from a pixel classifier they make a large file.

Trust has four classes. Seen and confident: as reliable as in a clear scene. Seen and unsure: check it. Reconstructed and confident: the classifier is confident, but its input was reconstructed and not observed. Reconstructed and unsure: do not rely on it. Both thresholds are advanced parameters.

"Changed by cleaning" shows where the cloudy scene would have got another class. Saliency shows where the evidence for a class lies: "predicted" explains the class assigned to each place, "none" skips this step.

The report is one HTML file. It holds the pictures, the area of each class in hectares, the fraction of it based on reconstructed pixels, the area adjusted for classification error if the classifier's errors are known, and warnings.</source>
            <translation>Führt alle Schritte in einem Lauf aus. Die Wolken und Schatten einer Sentinel-2-Szene werden erkannt, oder aus Ihrer eigenen Maske übernommen, und mit Hilfe von Sentinel-1-Radar entfernt. Danach wird die Landbedeckung der bereinigten Szene klassifiziert, die Klassifikation erklärt und kartiert, wie verlässlich jede Klasse ist.

Sentinel-2 ist ein Raster mit den Bändern (die Bandnamen werden aus den Bandbeschreibungen gelesen) oder ein Layer eines Sentinel-2-Produkts. Sentinel-1 ist ein geländekorrigiertes Raster mit VV und VH, in dB oder als lineare Leistung. Level-1C und Level-2A werden bereinigt, mit oder ohne Szenenklassifikation (SCL).

Die Landbedeckung hat eine Klasse für jeden Pixel, oder für größere Zellen, wenn der Klassifikator mit Ausschnitten arbeitet. Nur ein Ausschnittklassifikator hat eine Schrittweite. Die Wahrscheinlichkeiten haben ein Band je Klasse; bei einem Pixelklassifikator werden sie eine große Datei.

Das Vertrauen hat vier Klassen. Gesehen und sicher: so verlässlich wie in einer wolkenfreien Szene. Gesehen und unsicher: prüfen. Rekonstruiert und sicher: Der Klassifikator ist sicher, aber seine Eingabe wurde rekonstruiert und nicht beobachtet. Rekonstruiert und unsicher: nicht verlässlich. Beide Schwellenwerte sind erweiterte Parameter.

„Durch Bereinigung geändert“ zeigt, wo die bewölkte Szene eine andere Klasse erhalten hätte. Die Salienz zeigt, wo die Evidenz für eine Klasse liegt: „predicted“ erklärt die Klasse, die jedem Ort zugewiesen wurde, „none“ überspringt diesen Schritt.

Der Bericht ist eine HTML-Datei. Er enthält die Bilder, die Fläche jeder Klasse in Hektar, den Anteil davon, der auf rekonstruierten Pixeln beruht, die um Klassifikationsfehler korrigierte Fläche, wenn die Fehler des Klassifikators bekannt sind, und Warnungen.</translation>
        </message>
        <message>
            <source>Cloud removal model (empty: the backend's default)</source>
            <translation>Modell zur Wolkenentfernung (leer: Voreinstellung des Backends)</translation>
        </message>
        <message>
            <source>Cloud removal model from a file (overrides the one above)</source>
            <translation>Modell zur Wolkenentfernung aus einer Datei (hat Vorrang vor dem obigen)</translation>
        </message>
        <message>
            <source>Classifier from a file (overrides the one above)</source>
            <translation>Klassifikator aus einer Datei (hat Vorrang vor dem obigen)</translation>
        </message>
        <message>
            <source>Confidence threshold of a confident class (not set: 0.6)</source>
            <translation>Schwellenwert der Konfidenz, ab dem eine Klasse als sicher gilt (leer: 0,6)</translation>
        </message>
        <message>
            <source>Reconstructed fraction above which a cell counts as reconstructed (not set: 0.1)</source>
            <translation>Rekonstruierter Anteil, über dem eine Zelle als rekonstruiert gilt (leer: 0,1)</translation>
        </message>
        <message>
            <source>Trust</source>
            <translation>Vertrauen</translation>
        </message>
        <message>
            <source>Saliency</source>
            <translation>Salienz</translation>
        </message>
        <message>
            <source>Changed by cleaning</source>
            <translation>Durch Bereinigung geändert</translation>
        </message>
        <message>
            <source>Cleaned scene</source>
            <translation>Bereinigte Szene</translation>
        </message>
        <message>
            <source>Uncertainty</source>
            <translation>Unsicherheit</translation>
        </message>
        <message>
            <source>Reconstructed</source>
            <translation>Rekonstruiert</translation>
        </message>
        <message>
            <source>Source</source>
            <translation>Herkunft</translation>
        </message>
        <message>
            <source>Ground changed</source>
            <translation>Boden verändert</translation>
        </message>
        <message>
            <source>Cloud mask</source>
            <translation>Wolkenmaske</translation>
        </message>
        <message>
            <source>Cloud probability</source>
            <translation>Wolkenwahrscheinlichkeit</translation>
        </message>
        <message>
            <source>Report</source>
            <translation>Bericht</translation>
        </message>
        <message>
            <source>Band table</source>
            <translation>Bändertabelle</translation>
        </message>
        <message>
            <source>Reconstructed fraction of the scene (0 to 1)</source>
            <translation>Rekonstruierter Anteil der Szene (0 bis 1)</translation>
        </message>
        <message>
            <source>Fraction whose class was changed by cleaning (0 to 1)</source>
            <translation>Anteil, dessen Klasse sich durch die Bereinigung geändert hat (0 bis 1)</translation>
        </message>
        <message>
            <source>Fraction that was seen and is confident (0 to 1)</source>
            <translation>Gesehener und sicherer Anteil (0 bis 1)</translation>
        </message>
        <message>
            <source>Fraction that was seen and is unsure (0 to 1)</source>
            <translation>Gesehener und unsicherer Anteil (0 bis 1)</translation>
        </message>
        <message>
            <source>Fraction that was reconstructed and is confident (0 to 1)</source>
            <translation>Rekonstruierter und sicherer Anteil (0 bis 1)</translation>
        </message>
        <message>
            <source>Fraction that was reconstructed and is unsure (0 to 1)</source>
            <translation>Rekonstruierter und unsicherer Anteil (0 bis 1)</translation>
        </message>
        <message>
            <source>Clean a series</source>
            <translation>Zeitreihe bereinigen</translation>
        </message>
        <message>
            <source>Clouds</source>
            <translation>Wolken</translation>
        </message>
        <message>
            <source>Removes the clouds of all Sentinel-2 dates of one place, each with the help of the other dates.</source>
            <translation>Entfernt die Wolken aus allen Sentinel-2-Aufnahmen eines Ortes, aus jeder mit Hilfe der anderen Zeitpunkte.</translation>
        </message>
        <message>
            <source>Cleans every date of one place. Each date is cleaned with the dates nearest to it as other dates, which show what lies under its clouds.

Give a folder that holds the dates: Sentinel-2 products, rasters with all bands, or folders with one file for each band. Or give several layers, or both. At least two dates are needed, and each may be cloudy. Their dates are read from the metadata or the names. Scenes of another place and scenes without a date are left out and named. Sentinel-1 is matched by its own date; radar in the folder is found.

Each date gets a folder of its own in the output folder, with all its layers. A date that fails does not stop the others; the summary lists all dates. If finished dates are kept, a run that was stopped resumes.

The cleaned dates are loaded as one group, sorted by date. Each layer has a time range, from its date to the next one. To play the series, open View &gt; Panels &gt; Temporal Controller, choose animated navigation and press play. The time range of the project is set to that of the series, unless you have set one.</source>
            <translation>Bereinigt jeden Zeitpunkt eines Ortes. Für jeden Zeitpunkt werden die nächsten anderen Zeitpunkte verwendet: Sie zeigen, was unter seinen Wolken liegt.

Geben Sie einen Ordner an, der die Zeitpunkte enthält: Sentinel-2-Produkte, Raster mit allen Bändern oder Ordner mit einer Datei je Band. Oder geben Sie mehrere Layer an, oder beides. Es müssen mindestens zwei Zeitpunkte sein, und jeder darf bewölkt sein. Das Datum wird aus den Metadaten oder dem Namen gelesen. Szenen eines anderen Ortes und Szenen ohne Datum werden weggelassen und genannt. Sentinel-1 wird nach seinem eigenen Datum zugeordnet; Radar im Ordner wird gefunden.

Jeder Zeitpunkt bekommt einen eigenen Ordner im Ausgabeordner, mit allen Layern. Ein Zeitpunkt, der fehlschlägt, hält die anderen nicht auf; die Übersicht nennt alle Zeitpunkte. Werden fertige Zeitpunkte behalten, so wird ein angehaltener Lauf fortgesetzt.

Die bereinigten Zeitpunkte werden als eine Gruppe geladen, nach Datum sortiert. Jeder Layer hat einen Zeitbereich, von seinem Datum bis zum nächsten. Um die Zeitreihe abzuspielen, öffnen Sie Ansicht &gt; Bedienfelder &gt; Zeitsteuerung, wählen Sie die animierte Zeitnavigation und drücken Sie auf Abspielen. Der Zeitbereich des Projekts wird auf den der Zeitreihe gesetzt, sofern Sie keinen gesetzt haben.</translation>
        </message>
        <message>
            <source>Dates as layers (Sentinel-2)</source>
            <translation>Zeitpunkte als Layer (Sentinel-2)</translation>
        </message>
        <message>
            <source>Radar of the dates (Sentinel-1)</source>
            <translation>Radar der Zeitpunkte (Sentinel-1)</translation>
        </message>
        <message>
            <source>Model (empty: the backend's default)</source>
            <translation>Modell (leer: Voreinstellung des Backends)</translation>
        </message>
        <message>
            <source>Other dates for each date, the nearest ones (not set: 8)</source>
            <translation>Andere Zeitpunkte für jeden Zeitpunkt, die nächsten (nicht gesetzt: 8)</translation>
        </message>
        <message>
            <source>Model from a file (card or weights; overrides the model above)</source>
            <translation>Modell aus einer Datei (Modellkarte oder Gewichte; hat Vorrang vor dem obigen)</translation>
        </message>
        <message>
            <source>Replace clear pixels too</source>
            <translation>Auch klare Pixel ersetzen</translation>
        </message>
        <message>
            <source>Folder for the cleaned dates</source>
            <translation>Ordner für die bereinigten Zeitpunkte</translation>
        </message>
        <message>
            <source>Keep finished dates of an earlier run</source>
            <translation>Fertige Zeitpunkte eines früheren Laufs behalten</translation>
        </message>
        <message>
            <source>Load the cleaned dates as a group for the temporal controller</source>
            <translation>Die bereinigten Zeitpunkte als Gruppe für die Zeitsteuerung laden</translation>
        </message>
        <message>
            <source>{path} is the folder with the dates. Choose another output folder, such as one in it.</source>
            <translation>{path} ist der Ordner mit den Zeitpunkten. Wählen Sie einen anderen Ausgabeordner, zum Beispiel einen darin.</translation>
        </message>
        <message>
            <source>Folder with the dates of one place</source>
            <translation>Ordner mit den Zeitpunkten eines Ortes</translation>
        </message>
        <message>
            <source>Number of dates that were cleaned</source>
            <translation>Anzahl der bereinigten Zeitpunkte</translation>
        </message>
        <message>
            <source>Number of dates that failed</source>
            <translation>Anzahl der fehlgeschlagenen Zeitpunkte</translation>
        </message>
        <message>
            <source>Number of dates that were kept from an earlier run</source>
            <translation>Anzahl der Zeitpunkte, die aus einem früheren Lauf behalten wurden</translation>
        </message>
        <message>
            <source>Table of all dates (CSV)</source>
            <translation>Tabelle aller Zeitpunkte (CSV)</translation>
        </message>
        <message>
            <source>{failed} of {count} dates could not be cleaned; {summary} says why.</source>
            <translation>{failed} von {count} Zeitpunkten konnten nicht bereinigt werden; {summary} nennt den Grund.</translation>
        </message>
        <message>
            <source>None of the {count} dates could be cleaned. The messages above say why.</source>
            <translation>Keiner der {count} Zeitpunkte konnte bereinigt werden. Die Meldungen darüber nennen den Grund.</translation>
        </message>
        <message>
            <source>Give a folder with the dates of one place, or several layers.</source>
            <translation>Geben Sie einen Ordner mit den Zeitpunkten eines Ortes an, oder mehrere Layer.</translation>
        </message>
        <message>
            <source>{path} is not loaded: its date is not known.</source>
            <translation>{path} wird nicht geladen: Das Datum ist nicht bekannt.</translation>
        </message>
        <message>
            <source>Compare scenes</source>
            <translation>Szenen vergleichen</translation>
        </message>
        <message>
            <source>Evaluation</source>
            <translation>Auswertung</translation>
        </message>
        <message>
            <source>PSNR, SSIM, spectral angle, error and sharpness of a scene against a reference.</source>
            <translation>PSNR, SSIM, Spektralwinkel, Fehler und Schärfe einer Szene gegenüber einer Referenz.</translation>
        </message>
        <message>
            <source>Compares a scene with a reference, for example a cleaned scene with a clear one.

Both rasters must have the same bands and the same grid. With a cloud mask, all metrics are also given inside and outside the mask. With the cloudy scene, they are also given for the scene before cleaning, as a baseline.

PSNR (dB): error on a logarithmic scale; higher is better. SSIM: similarity of patterns; 1 is identical. SAM (degrees): spectral angle, the difference in colour. MAE, RMSE and bias: error in reflectance. Detail: strength of edges and of fine structures relative to the reference; 1 is equally sharp, less is blurred.

The error map has the same colours and units as the uncertainty layer, so the two can be compared. The page explains all metrics and lists them for each band too.</source>
            <translation>Vergleicht eine Szene mit einer Referenz, zum Beispiel eine bereinigte mit einer wolkenfreien Szene.

Beide Raster müssen dieselben Bänder und dasselbe Gitter haben. Mit einer Wolkenmaske werden alle Maße auch innerhalb und außerhalb der Maske angegeben. Mit der bewölkten Szene werden sie auch für die Szene vor der Bereinigung angegeben, als Vergleichswert.

PSNR (dB): Fehler auf einer logarithmischen Skala; höher ist besser. SSIM: Ähnlichkeit der Muster; 1 ist identisch. SAM (Grad): Spektralwinkel, der Unterschied in der Farbe. MAE, RMSE und mittlere Abweichung: Fehler in Reflektanz. Detail: Stärke der Kanten und der feinen Strukturen im Verhältnis zur Referenz; 1 ist ebenso scharf, weniger ist unschärfer.

Die Fehlerkarte hat dieselben Farben und Einheiten wie der Unsicherheitslayer, sodass sich beide vergleichen lassen. Die Seite erläutert alle Maße und führt sie auch je Band auf.</translation>
        </message>
        <message>
            <source>PSNR (dB)</source>
            <translation>PSNR (dB)</translation>
        </message>
        <message>
            <source>SSIM</source>
            <translation>SSIM</translation>
        </message>
        <message>
            <source>SAM (degrees)</source>
            <translation>SAM (Grad)</translation>
        </message>
        <message>
            <source>MAE</source>
            <translation>MAE</translation>
        </message>
        <message>
            <source>RMSE</source>
            <translation>RMSE</translation>
        </message>
        <message>
            <source>Bias</source>
            <translation>Mittlere Abweichung</translation>
        </message>
        <message>
            <source>Detail: edges relative to the reference</source>
            <translation>Detail: Kanten im Verhältnis zur Referenz</translation>
        </message>
        <message>
            <source>Detail: fine structures relative to the reference</source>
            <translation>Detail: feine Strukturen im Verhältnis zur Referenz</translation>
        </message>
        <message>
            <source>inside the mask</source>
            <translation>innerhalb der Maske</translation>
        </message>
        <message>
            <source>outside the mask</source>
            <translation>außerhalb der Maske</translation>
        </message>
        <message>
            <source>before cleaning</source>
            <translation>vor der Bereinigung</translation>
        </message>
        <message>
            <source>Scene to evaluate (cleaned)</source>
            <translation>Auszuwertende Szene (bereinigt)</translation>
        </message>
        <message>
            <source>Reference (clear)</source>
            <translation>Referenz (wolkenfrei)</translation>
        </message>
        <message>
            <source>Scene before cleaning</source>
            <translation>Szene vor der Bereinigung</translation>
        </message>
        <message>
            <source>Mean absolute error</source>
            <translation>Mittlerer absoluter Fehler</translation>
        </message>
        <message>
            <source>Spectral angle</source>
            <translation>Spektralwinkel</translation>
        </message>
        <message>
            <source>Page with all metrics</source>
            <translation>Seite mit allen Maßen</translation>
        </message>
        <message>
            <source>Table of all metrics</source>
            <translation>Tabelle aller Maße</translation>
        </message>
        <message>
            <source>Fraction of pixels compared (0 to 1)</source>
            <translation>Anteil der verglichenen Pixel (0 bis 1)</translation>
        </message>
        <message>
            <source>Fraction of these inside the mask (0 to 1)</source>
            <translation>Anteil davon innerhalb der Maske (0 bis 1)</translation>
        </message>
        <message>
            <source>Everywhere</source>
            <translation>Überall</translation>
        </message>
        <message>
            <source>Inside the mask</source>
            <translation>Innerhalb der Maske</translation>
        </message>
        <message>
            <source>{place}: PSNR {psnr:.2f} dB, SSIM {ssim:.4f}, SAM {sam:.2f} degrees, MAE {mae:.4f}</source>
            <translation>{place}: PSNR {psnr:.2f} dB, SSIM {ssim:.4f}, SAM {sam:.2f} Grad, MAE {mae:.4f}</translation>
        </message>
        <message>
            <source>Unit of the Sentinel-2 values</source>
            <translation>Einheit der Sentinel-2-Werte</translation>
        </message>
        <message>
            <source>Only this extent</source>
            <translation>Nur diese Ausdehnung</translation>
        </message>
        <message>
            <source>Offset to add to the Sentinel-2 values (not set: detected automatically)</source>
            <translation>Offset, der zu den Sentinel-2-Werten addiert wird (leer: automatisch erkannt)</translation>
        </message>
        <message>
            <source>Sentinel-2 value of pixels without data (not set: detected automatically)</source>
            <translation>Sentinel-2-Wert der Pixel ohne Daten (leer: automatisch erkannt)</translation>
        </message>
        <message>
            <source>Reflectance of one Sentinel-2 value, such as 0.01 for percent (not set: detected automatically)</source>
            <translation>Reflexionsgrad eines Sentinel-2-Werts, etwa 0.01 bei Prozent (leer: automatisch erkannt)</translation>
        </message>
        <message>
            <source>Names of the Sentinel-2 bands in file order, such as B01,B02,... (empty: detected automatically)</source>
            <translation>Namen der Sentinel-2-Bänder in der Reihenfolge der Datei, etwa B01,B02,... (leer: automatisch erkannt)</translation>
        </message>
        <message>
            <source>Cloud probability threshold of s2cloudless (not set: 0.4)</source>
            <translation>Schwellenwert der Wolkenwahrscheinlichkeit von s2cloudless (leer: 0,4)</translation>
        </message>
        <message>
            <source>{kind} files (*{suffix})</source>
            <translation>{kind}-Dateien (*{suffix})</translation>
        </message>
        <message>
            <source>Quicklook (PNG beside the main layer)</source>
            <translation>Vorschaubild (PNG neben dem Hauptlayer)</translation>
        </message>
        <message>
            <source>Detect clouds</source>
            <translation>Wolken erkennen</translation>
        </message>
        <message>
            <source>Mask of clouds and shadows, and cloud probability of a Sentinel-2 scene.</source>
            <translation>Maske der Wolken und Schatten und Wolkenwahrscheinlichkeit einer Sentinel-2-Szene.</translation>
        </message>
        <message>
            <source>Detects the clouds and cloud shadows of a Sentinel-2 scene, Level-1C or Level-2A.

The input is one raster with the Sentinel-2 bands (the band names are read from the band descriptions), or any layer of a Sentinel-2 product: the whole product is read. It needs B02, B03, B04 and B08. B11 and B12 make it better.

The mask is 0 for clear, 1 for thick cloud, 2 for thin cloud, 3 for shadow and 255 where the scene has no data. The cloud probability ranges from 0 to 1.

Cloud detector: the automatic choice joins the networks of ukis-csmask with s2cloudless (Level-1C) or with the scene classification (SCL, Level-2A). s2cloudless needs all bands of Level-1C and finds no shadows. The SCL is taken from the product as it is.</source>
            <translation>Erkennt die Wolken und Wolkenschatten einer Sentinel-2-Szene, Level-1C oder Level-2A.

Die Eingabe ist ein Raster mit den Sentinel-2-Bändern (die Bandnamen werden aus den Bandbeschreibungen gelesen) oder ein beliebiger Layer eines Sentinel-2-Produkts: Es wird das ganze Produkt gelesen. Gebraucht werden B02, B03, B04 und B08. B11 und B12 machen das Ergebnis besser.

Die Maske ist 0 für klar, 1 für dichte Wolke, 2 für dünne Wolke, 3 für Schatten und 255, wo die Szene keine Daten hat. Die Wolkenwahrscheinlichkeit reicht von 0 bis 1.

Wolkendetektor: Die automatische Wahl verbindet die Netze von ukis-csmask mit s2cloudless (Level-1C) oder mit der Szenenklassifikation (SCL, Level-2A). s2cloudless braucht alle Bänder von Level-1C und findet keine Schatten. Die SCL wird unverändert aus dem Produkt übernommen.</translation>
        </message>
        <message>
            <source>Cloud detector</source>
            <translation>Wolkendetektor</translation>
        </message>
        <message>
            <source>Run s2cloudless at full resolution (slower)</source>
            <translation>s2cloudless in voller Auflösung rechnen (langsamer)</translation>
        </message>
        <message>
            <source>Sentinel-2 scene</source>
            <translation>Sentinel-2-Szene</translation>
        </message>
        <message>
            <source>Doctor</source>
            <translation>Diagnose</translation>
        </message>
        <message>
            <source>Set-up</source>
            <translation>Einrichtung</translation>
        </message>
        <message>
            <source>Checks the installation on this machine and says how to fix what fails.</source>
            <translation>Prüft die Installation auf diesem Rechner und sagt, wie sich Fehler beheben lassen.</translation>
        </message>
        <message>
            <source>Checks the backend's interpreter and packages, the device, GDAL and PROJ, models, disk and proxy, and cleans a small simulated scene. This takes about half a minute.

For each check that fails, one fix is suggested. The text can be copied into a bug report: your name and your home folder are left out.

The doctor also runs where the backend cannot be started, and then says why.</source>
            <translation>Prüft Interpreter und Pakete des Backends, das Gerät, GDAL und PROJ, Modelle, Datenträger und Proxy und bereinigt eine kleine simulierte Szene. Das dauert etwa eine halbe Minute.

Zu jeder Prüfung, die fehlschlägt, wird eine Abhilfe genannt. Der Text kann in eine Fehlermeldung kopiert werden: Ihr Name und Ihr Benutzerverzeichnis werden weggelassen.

Die Diagnose läuft auch, wenn sich das Backend nicht starten lässt, und nennt dann den Grund.</translation>
        </message>
        <message>
            <source>All checks passed.</source>
            <translation>Alle Prüfungen bestanden.</translation>
        </message>
        <message>
            <source>One check failed.</source>
            <translation>Eine Prüfung ist fehlgeschlagen.</translation>
        </message>
        <message>
            <source>Findings</source>
            <translation>Befund</translation>
        </message>
        <message>
            <source>Number of failed checks</source>
            <translation>Anzahl der fehlgeschlagenen Prüfungen</translation>
        </message>
        <message>
            <source>Findings as text</source>
            <translation>Befund als Text</translation>
        </message>
        <message>
            <source>{count} checks failed.</source>
            <translation>{count} Prüfungen sind fehlgeschlagen.</translation>
        </message>
        <message>
            <source>To copy into a bug report:</source>
            <translation>Zum Kopieren in eine Fehlermeldung:</translation>
        </message>
        <message>
            <source>{path} cannot be written: {reason}. Choose another name.</source>
            <translation>{path} kann nicht geschrieben werden: {reason}. Wählen Sie einen anderen Namen.</translation>
        </message>
        <message>
            <source>ok</source>
            <translation>ok</translation>
        </message>
        <message>
            <source>failed</source>
            <translation>fehlgeschlagen</translation>
        </message>
        <message>
            <source>Explain classification</source>
            <translation>Klassifikation erklären</translation>
        </message>
        <message>
            <source>Shows where in a Sentinel-2 scene the evidence for a land cover class lies, and in which bands.</source>
            <translation>Zeigt, wo in einer Sentinel-2-Szene und in welchen Bändern die Evidenz für eine Landbedeckungsklasse liegt.</translation>
        </message>
        <message>
            <source>Explains a land cover classification with a saliency map. Bright pixels are evidence for the class; pixels without evidence are transparent.

The class is one of the classifier's class names, such as Water. "predicted" explains the class assigned to each place.

With a point (click the button, then the map), a patch classifier explains the patch around it, a pixel classifier the class of the pixel there. The map shows the surroundings pixel by pixel, and the log lists the class probabilities of this patch or pixel.

With polygons, a patch classifier explains the area inside them. A pixel classifier explains the class of the pixels inside them, and the map also shows the evidence around them.

With neither, the whole scene is explained: by a pixel classifier, all pixels for which the class was predicted, together.

The method auto is Grad-CAM for patch classifiers and integrated gradients for pixel classifiers. HiResCAM shows only pixels that raised the score of the class; at layer4 of patch classifiers it agrees with Grad-CAM. Lower layers give finer maps that are harder to interpret. Integrated gradients go through the whole network and take no block. Only patch classifiers take a stride.

A light backend, which has no PyTorch, explains the bundled patch classifier with Grad-CAM at layer4. Everything else needs PyTorch.

The band table lists how much each band contributed, and whether it contributed for or against the class.

Each map is scaled so that its brightest pixel is 1. The brightness of two maps cannot be compared.</source>
            <translation>Erklärt eine Landbedeckungsklassifikation mit einer Salienzkarte. Helle Pixel sind Evidenz für die Klasse; Pixel ohne Evidenz sind durchsichtig.

Die Klasse ist einer der Klassennamen des Klassifikators, etwa Water. „predicted“ erklärt die Klasse, die jedem Ort zugewiesen wurde.

Mit einem Punkt (Knopf, dann Karte anklicken) erklärt ein Ausschnittklassifikator den Ausschnitt um ihn, ein Pixelklassifikator die Klasse des Pixels dort. Die Karte zeigt die Umgebung Pixel für Pixel, und das Protokoll listet die Klassenwahrscheinlichkeiten dieses Ausschnitts oder Pixels auf.

Mit Polygonen erklärt ein Ausschnittklassifikator die Fläche in ihnen. Ein Pixelklassifikator erklärt die Klasse der Pixel in ihnen, und die Karte zeigt auch die Evidenz um sie herum.

Ohne beides wird die ganze Szene erklärt: von einem Pixelklassifikator alle Pixel, für die die Klasse vorhergesagt wurde, gemeinsam.

Das Verfahren auto ist Grad-CAM für Ausschnittklassifikatoren und integrierte Gradienten für Pixelklassifikatoren. HiResCAM zeigt nur Pixel, die den Wert der Klasse erhöht haben; in layer4 von Ausschnittklassifikatoren stimmt es mit Grad-CAM überein. Niedrigere Ebenen ergeben feinere Karten, die schwerer zu deuten sind. Integrierte Gradienten gehen durch das ganze Netz und haben keinen Block. Nur Ausschnittklassifikatoren haben eine Schrittweite.

Ein Light-Backend, das kein PyTorch hat, erklärt den mitgelieferten Ausschnittklassifikator mit Grad-CAM in layer4. Alles andere braucht PyTorch.

Die Bändertabelle zeigt, wie viel jedes Band beigetragen hat, und ob es für oder gegen die Klasse sprach.

Jede Karte ist so skaliert, dass ihr hellster Pixel 1 ist. Die Helligkeit zweier Karten lässt sich nicht vergleichen.</translation>
        </message>
        <message>
            <source>Only the patch around this point, or its pixel</source>
            <translation>Nur der Ausschnitt um diesen Punkt, oder sein Pixel</translation>
        </message>
        <message>
            <source>Only inside these polygons</source>
            <translation>Nur innerhalb dieser Polygone</translation>
        </message>
        <message>
            <source>Fraction of the strongest band (0 to 1)</source>
            <translation>Anteil des stärksten Bandes (0 bis 1)</translation>
        </message>
        <message>
            <source>Class of the patch or pixel at the point</source>
            <translation>Klasse des Ausschnitts oder Pixels am Punkt</translation>
        </message>
        <message>
            <source>Strongest band</source>
            <translation>Stärkstes Band</translation>
        </message>
        <message>
            <source>Probability of that class (0 to 1)</source>
            <translation>Wahrscheinlichkeit dieser Klasse (0 bis 1)</translation>
        </message>
        <message>
            <source>Both a point and polygons are given. Remove one of them.</source>
            <translation>Es sind sowohl ein Punkt als auch Polygone angegeben. Entfernen Sie eines von beiden.</translation>
        </message>
        <message>
            <source>The pixel at the point:</source>
            <translation>Der Pixel am Punkt:</translation>
        </message>
        <message>
            <source>The patch around the point:</source>
            <translation>Der Ausschnitt um den Punkt:</translation>
        </message>
        <message>
            <source>{name}: {share} %</source>
            <translation>{name}: {share} %</translation>
        </message>
        <message>
            <source>{value} cannot be opened as a vector layer.</source>
            <translation>{value} lässt sich nicht als Vektorlayer öffnen.</translation>
        </message>
        <message>
            <source>Find scenes</source>
            <translation>Szenen suchen</translation>
        </message>
        <message>
            <source>Lists the Sentinel-2 scenes of a place, their radar and their other dates in a catalogue.</source>
            <translation>Listet die Sentinel-2-Szenen eines Ortes, ihr Radar und ihre anderen Zeitpunkte in einem Katalog auf.</translation>
        </message>
        <message>
            <source>Searches a catalogue on the network for Sentinel-2 scenes of an area around a date, and for terrain-corrected Sentinel-1. The cloud cover is that of the area, not of the whole tile: it is read from the scene classification at a coarse resolution. No scene is downloaded.

One date is proposed as the scene, others as other dates that show what lies under its clouds, and the radar that fits each of them. The table gives the reason. Get scenes loads what is proposed.

Only the hosts of the chosen catalogue are asked, through the proxy and with the certificates that are set in QGIS. Another catalogue is described by a profile file.</source>
            <translation>Sucht in einem Katalog im Netz nach Sentinel-2-Szenen eines Gebiets um ein Datum, und nach geländekorrigiertem Sentinel-1. Die Bewölkung ist die des Gebiets, nicht die der ganzen Kachel: Sie wird in grober Auflösung aus der Szenenklassifikation gelesen. Keine Szene wird heruntergeladen.

Ein Zeitpunkt wird als Szene vorgeschlagen, weitere als andere Zeitpunkte, die zeigen, was unter ihren Wolken liegt, und das Radar, das zu jedem davon passt. Die Tabelle nennt den Grund. „Szenen laden“ lädt, was vorgeschlagen wird.

Nur die Server des gewählten Katalogs werden gefragt, über den Proxy und mit den Zertifikaten, die in QGIS eingestellt sind. Einen anderen Katalog beschreibt eine Profildatei.</translation>
        </message>
        <message>
            <source>Footprints</source>
            <translation>Umrisse</translation>
        </message>
        <message>
            <source>Table</source>
            <translation>Tabelle</translation>
        </message>
        <message>
            <source>Table for programs (JSON)</source>
            <translation>Tabelle für Programme (JSON)</translation>
        </message>
        <message>
            <source>Number of dates</source>
            <translation>Anzahl der Zeitpunkte</translation>
        </message>
        <message>
            <source>Proposed scene (id)</source>
            <translation>Vorgeschlagene Szene (Kennung)</translation>
        </message>
        <message>
            <source>Proposed radar (id)</source>
            <translation>Vorgeschlagenes Radar (Kennung)</translation>
        </message>
        <message>
            <source>The backend ended without a result.</source>
            <translation>Das Backend endete ohne Ergebnis.</translation>
        </message>
        <message>
            <source>Get scenes</source>
            <translation>Szenen laden</translation>
        </message>
        <message>
            <source>Downloads a Sentinel-2 scene, its radar and its other dates, cut to an area.</source>
            <translation>Lädt eine Sentinel-2-Szene, ihr Radar und ihre anderen Zeitpunkte herunter, auf ein Gebiet zugeschnitten.</translation>
        </message>
        <message>
            <source>Downloads what Find scenes proposes, ready to be cleaned: one Sentinel-2 scene, its Sentinel-1 radar, and other dates that show what lies under the clouds. Only the area is read from the catalogue, not the whole tiles. All files lie on one grid with pixels of 10 m.

To get certain scenes, give their ids in the advanced parameters.

The licence and the attribution that the data ask for are in the metadata of the layers. A download that was stopped resumes in the same folder.</source>
            <translation>Lädt herunter, was „Szenen suchen“ vorschlägt, fertig zum Bereinigen: eine Sentinel-2-Szene, ihr Sentinel-1-Radar und andere Zeitpunkte, die zeigen, was unter den Wolken liegt. Aus dem Katalog wird nur das Gebiet gelesen, nicht die ganzen Kacheln. Alle Dateien liegen auf einem Raster mit Pixeln von 10 m.

Um bestimmte Szenen zu laden, geben Sie ihre Kennungen bei den erweiterten Parametern an.

Lizenz und Quellenangabe, die die Daten verlangen, stehen in den Metadaten der Layer. Ein abgebrochener Download wird im selben Ordner fortgesetzt.</translation>
        </message>
        <message>
            <source>Scene (id; empty: the proposed one)</source>
            <translation>Szene (Kennung; leer: die vorgeschlagene)</translation>
        </message>
        <message>
            <source>Radar (id, or none; empty: the proposed one)</source>
            <translation>Radar (Kennung, oder none; leer: das vorgeschlagene)</translation>
        </message>
        <message>
            <source>Other dates (ids with commas, or none; empty: the proposed ones)</source>
            <translation>Andere Zeitpunkte (Kennungen mit Kommas, oder none; leer: die vorgeschlagenen)</translation>
        </message>
        <message>
            <source>Radar of the other dates (ids with commas; empty: the proposed one)</source>
            <translation>Radar der anderen Zeitpunkte (Kennungen mit Kommas; leer: das vorgeschlagene)</translation>
        </message>
        <message>
            <source>Load the scenes as a group</source>
            <translation>Die Szenen als Gruppe laden</translation>
        </message>
        <message>
            <source>Folder for the scenes</source>
            <translation>Ordner für die Szenen</translation>
        </message>
        <message>
            <source>Sentinel-1 scene (VV and VH)</source>
            <translation>Sentinel-1-Szene (VV und VH)</translation>
        </message>
        <message>
            <source>Folder of other dates</source>
            <translation>Ordner mit anderen Zeitpunkten</translation>
        </message>
        <message>
            <source>{folder} has no scene that QGIS can open.</source>
            <translation>{folder} enthält keine Szene, die QGIS öffnen kann.</translation>
        </message>
        <message>
            <source>Inspect a scene</source>
            <translation>Szene untersuchen</translation>
        </message>
        <message>
            <source>Says what is found in a Sentinel-2 scene and what a run will assume about it.</source>
            <translation>Sagt, was in einer Sentinel-2-Szene gefunden wird und was ein Lauf über sie annimmt.</translation>
        </message>
        <message>
            <source>Looks at a scene before a run, and processes nothing. It says which level, bands, offset, unit, pixels without data, grid and date were found, where each of them comes from, and what a run will assume. It does the same for Sentinel-1, a cloud mask and other dates, and says which runs are possible and what is missing for the others.

If something is wrong, set it in the advanced parameters here, look again, and set it in the same way for the run. What a run would refuse is refused here with the same message.

The report is one HTML page with a picture: the scene in true colour with pixels without data hatched, the outline of the cloud mask, and Sentinel-1 beside it. The JSON file has the same for programs.</source>
            <translation>Untersucht eine Szene vor einem Lauf und verarbeitet nichts. Der Bericht sagt, welche Prozessierungsstufe, Bänder, welcher Offset, welche Einheit, welche Pixel ohne Daten, welches Gitter und welches Datum gefunden wurden, woher jede Angabe stammt und was ein Lauf annimmt. Für Sentinel-1, eine Wolkenmaske und andere Zeitpunkte sagt er dasselbe, außerdem, welche Läufe möglich sind und was für die anderen fehlt.

Stimmt etwas nicht, stellen Sie es hier in den erweiterten Parametern ein, untersuchen Sie die Szene noch einmal und stellen Sie es für den Lauf ebenso ein. Was ein Lauf ablehnt, wird hier mit derselben Meldung abgelehnt.

Der Bericht ist eine HTML-Seite mit einem Bild: die Szene in Echtfarben, Pixel ohne Daten schraffiert, mit dem Umriss der Wolkenmaske und Sentinel-1 daneben. Die JSON-Datei enthält dasselbe für Programme.</translation>
        </message>
        <message>
            <source>Cloud mask to use instead of detecting clouds</source>
            <translation>Wolkenmaske, die anstelle der Wolkenerkennung verwendet wird</translation>
        </message>
        <message>
            <source>Other dates of the same place (Sentinel-2)</source>
            <translation>Andere Zeitpunkte desselben Ortes (Sentinel-2)</translation>
        </message>
        <message>
            <source>What the values of the cloud mask stand for</source>
            <translation>Bedeutung der Werte der Wolkenmaske</translation>
        </message>
        <message>
            <source>Report for programs (JSON)</source>
            <translation>Bericht für Programme (JSON)</translation>
        </message>
        <message>
            <source>Picture</source>
            <translation>Bild</translation>
        </message>
        <message>
            <source>Report as text</source>
            <translation>Bericht als Text</translation>
        </message>
        <message>
            <source>Automatic (best for the scene)</source>
            <translation>Automatisch (der beste für die Szene)</translation>
        </message>
        <message>
            <source>Clouds and shadows (ukis-csmask)</source>
            <translation>Wolken und Schatten (ukis-csmask)</translation>
        </message>
        <message>
            <source>Clouds only, Level-1C (s2cloudless)</source>
            <translation>Nur Wolken, Level-1C (s2cloudless)</translation>
        </message>
        <message>
            <source>Classification of the product (SCL)</source>
            <translation>Klassifikation des Produkts (SCL)</translation>
        </message>
        <message>
            <source>Automatic</source>
            <translation>Automatisch</translation>
        </message>
        <message>
            <source>Cloud or not: 0 and 1, or 0 and 255</source>
            <translation>Wolke oder nicht: 0 und 1, oder 0 und 255</translation>
        </message>
        <message>
            <source>Cloud probability, 0 to 1</source>
            <translation>Wolkenwahrscheinlichkeit, 0 bis 1</translation>
        </message>
        <message>
            <source>Cloud probability in percent (CLDPRB)</source>
            <translation>Wolkenwahrscheinlichkeit in Prozent (CLDPRB)</translation>
        </message>
        <message>
            <source>Cloud probability, 0 to 255 (CLP)</source>
            <translation>Wolkenwahrscheinlichkeit von 0 bis 255 (CLP)</translation>
        </message>
        <message>
            <source>Scene classification of Sentinel-2 (SCL)</source>
            <translation>Szenenklassifikation von Sentinel-2 (SCL)</translation>
        </message>
        <message>
            <source>MSK_CLASSI of a Sentinel-2 product</source>
            <translation>MSK_CLASSI eines Sentinel-2-Produkts</translation>
        </message>
        <message>
            <source>QA60 of Earth Engine</source>
            <translation>QA60 aus Earth Engine</translation>
        </message>
        <message>
            <source>Cloud Score+ of Earth Engine (1 is clear)</source>
            <translation>Cloud Score+ aus Earth Engine (1 ist klar)</translation>
        </message>
        <message>
            <source>OmniCloudMask, CloudSEN12, or a cloud mask of Sunbreak</source>
            <translation>OmniCloudMask, CloudSEN12 oder eine Wolkenmaske von Sunbreak</translation>
        </message>
        <message>
            <source>Fmask 3</source>
            <translation>Fmask 3</translation>
        </message>
        <message>
            <source>Fmask 4</source>
            <translation>Fmask 4</translation>
        </message>
        <message>
            <source>Fmask of HLS (bits)</source>
            <translation>Fmask von HLS (Bits)</translation>
        </message>
        <message>
            <source>thick clouds</source>
            <translation>dichte Wolken</translation>
        </message>
        <message>
            <source>thin clouds</source>
            <translation>dünne Wolken</translation>
        </message>
        <message>
            <source>shadows</source>
            <translation>Schatten</translation>
        </message>
        <message>
            <source>Exact</source>
            <translation>Genau</translation>
        </message>
        <message>
            <source>Fast (bfloat16 where the processor has it; small error)</source>
            <translation>Schnell (bfloat16, wenn der Prozessor es kann; kleiner Fehler)</translation>
        </message>
        <message>
            <source>Cloud fraction of the scene (0 to 1)</source>
            <translation>Wolkenanteil der Szene (0 bis 1)</translation>
        </message>
        <message>
            <source>Thin cloud fraction of the scene (0 to 1)</source>
            <translation>Anteil dünner Wolken an der Szene (0 bis 1)</translation>
        </message>
        <message>
            <source>Shadow fraction of the scene (0 to 1)</source>
            <translation>Schattenanteil der Szene (0 bis 1)</translation>
        </message>
        <message>
            <source>Replace</source>
            <translation>Ersetzen</translation>
        </message>
        <message>
            <source>Feather: width of the blended cloud edge in pixels (not set: 4, or 0 with your own mask)</source>
            <translation>Feather: Breite des überblendeten Wolkenrands in Pixeln (leer: 4, oder 0 bei eigener Maske)</translation>
        </message>
        <message>
            <source>Buffer: pixels by which the mask is dilated (not set: 4, or 0 with your own mask)</source>
            <translation>Puffer: Pixel, um die die Maske dilatiert (erweitert) wird (leer: 4, oder 0 bei eigener Maske)</translation>
        </message>
        <message>
            <source>Buffer of thin clouds in pixels (not set: as above)</source>
            <translation>Puffer dünner Wolken in Pixeln (leer: wie oben)</translation>
        </message>
        <message>
            <source>Buffer of shadows in pixels (not set: as above)</source>
            <translation>Puffer der Schatten in Pixeln (leer: wie oben)</translation>
        </message>
        <message>
            <source>Numeric precision</source>
            <translation>Rechengenauigkeit</translation>
        </message>
        <message>
            <source>None: only the cloud mask above</source>
            <translation>Keiner: nur die Wolkenmaske oben</translation>
        </message>
        <message>
            <source>Both a cloud mask and the cloud detector {detector} are given. A mask is used as it is: leave it out, or set the detector to automatic.</source>
            <translation>Angegeben sind eine Wolkenmaske und der Wolkendetektor {detector}. Eine Maske wird unverändert verwendet: Lassen Sie sie weg, oder stellen Sie den Detektor auf automatisch.</translation>
        </message>
        <message>
            <source>predicted, none, or a name such as Water</source>
            <translation>predicted, none oder ein Name wie Water</translation>
        </message>
        <message>
            <source>predicted, or a name such as Water</source>
            <translation>predicted oder ein Name wie Water</translation>
        </message>
        <message>
            <source>Explanation method</source>
            <translation>Erklärungsverfahren</translation>
        </message>
        <message>
            <source>Network block to explain (layer1 is the finest)</source>
            <translation>Erklärter Block des Netzes (layer1 ist der feinste)</translation>
        </message>
        <message>
            <source>Stride (pixels from one patch to the next, only for patch classifiers; not set: the model's default)</source>
            <translation>Schrittweite (Pixel von einem Ausschnitt zum nächsten, nur für Ausschnittklassifikatoren; leer: Voreinstellung des Modells)</translation>
        </message>
        <message>
            <source>Sentinel-1 VH, if it is a layer of its own (above is VV then)</source>
            <translation>Sentinel-1 VH, wenn es ein eigener Layer ist (oben steht dann VV)</translation>
        </message>
        <message>
            <source>Models (*.json *.safetensors)</source>
            <translation>Modelle (*.json *.safetensors)</translation>
        </message>
        <message>
            <source>Class to explain ({words})</source>
            <translation>Zu erklärende Klasse ({words})</translation>
        </message>
        <message>
            <source>Other dates are further Sentinel-2 scenes of the same place, before or after. They show what lies under the clouds. Any number of them helps, and each may be cloudy itself: its own clouds and shadows are found and left out. The dates nearest to the scene count most. They may lie on another grid, and lack some of the bands. Give them as layers, as a folder, or both. Source tells which date each pixel comes from, and Ground changed where the ground changed since then.</source>
            <translation>Andere Zeitpunkte sind weitere Sentinel-2-Szenen desselben Ortes, vorher oder nachher. Sie zeigen, was unter den Wolken liegt. Jede Anzahl hilft, und jede Szene darf selbst bewölkt sein: Ihre eigenen Wolken und Schatten werden gefunden und weggelassen. Am meisten zählen die Zeitpunkte, die der Szene am nächsten liegen. Sie dürfen auf einem anderen Gitter liegen, und einige Bänder dürfen fehlen. Geben Sie sie als Layer, als Ordner oder beides an. „Herkunft“ nennt für jedes Pixel den Zeitpunkt, aus dem es stammt, und „Boden verändert“ zeigt, wo sich der Boden seitdem verändert hat.</translation>
        </message>
        <message>
            <source>Radar of the other dates (Sentinel-1)</source>
            <translation>Radar der anderen Zeitpunkte (Sentinel-1)</translation>
        </message>
        <message>
            <source>{parameter}: {value} is not a folder. Choose one that exists.</source>
            <translation>{parameter}: {value} ist kein Ordner. Wählen Sie einen vorhandenen.</translation>
        </message>
        <message>
            <source>{parameter}: there are no other dates. Give the Sentinel-2 scenes of these dates too.</source>
            <translation>{parameter}: Es gibt keine anderen Zeitpunkte. Geben Sie auch die Sentinel-2-Szenen dieser Zeitpunkte an.</translation>
        </message>
        <message>
            <source>{parameter}: {path} is the scene itself, which has the same clouds. Leave it out there.</source>
            <translation>{parameter}: {path} ist die Szene selbst, die dieselben Wolken hat. Lassen Sie sie dort weg.</translation>
        </message>
        <message>
            <source>Process many scenes</source>
            <translation>Viele Szenen verarbeiten</translation>
        </message>
        <message>
            <source>Removes the clouds of many Sentinel-2 scenes, classifies their land cover, or both.</source>
            <translation>Entfernt die Wolken vieler Sentinel-2-Szenen, klassifiziert ihre Landbedeckung, oder beides.</translation>
        </message>
        <message>
            <source>Runs one task on many scenes, which may lie anywhere. All scenes are processed with the same models and options.

Give a folder and which files in it are scenes, such as *_s2.tif, *.SAFE or **/*_s2.tif with all folders in it. Or give layers, or both. Sentinel-1 is named relative to the Sentinel-2 file: {stem} stands for its name without .tif and without _s2 at the end. Files that are the Sentinel-1 of another scene are left out. Or give a table, a CSV file with the columns s2, s1, mask, mask_coding, references, reference_s1 and name.

With other dates, each scene is cleaned with the nearest scenes of its place among all scenes. Scenes of unknown date have none.

Each scene gets a folder of its own in the output folder, with all its layers. A scene that fails does not stop the others; the summary lists all scenes. If finished scenes are kept, a run that was stopped resumes.</source>
            <translation>Führt eine Aufgabe an vielen Szenen aus, die überall liegen dürfen. Alle Szenen werden mit denselben Modellen und Optionen verarbeitet.

Geben Sie einen Ordner an und welche Dateien darin Szenen sind, zum Beispiel *_s2.tif, *.SAFE oder **/*_s2.tif mit allen Ordnern darin. Oder geben Sie Layer an, oder beides. Sentinel-1 wird relativ zur Sentinel-2-Datei angegeben: {stem} steht für deren Namen ohne .tif und ohne _s2 am Ende. Dateien, die das Sentinel-1 einer anderen Szene sind, werden ausgelassen. Oder geben Sie eine Tabelle an, eine CSV-Datei mit den Spalten s2, s1, mask, mask_coding, references, reference_s1 und name.

Mit anderen Zeitpunkten wird jede Szene mit den nächsten Szenen ihres Ortes unter allen Szenen bereinigt. Szenen mit unbekanntem Datum haben keine.

Jede Szene bekommt im Ausgabeordner einen eigenen Ordner mit allen ihren Layern. Eine Szene, die fehlschlägt, hält die anderen nicht auf; die Zusammenfassung nennt alle Szenen. Werden fertige Szenen behalten, setzt ein Lauf, der abgebrochen wurde, dort fort.</translation>
        </message>
        <message>
            <source>Scenes as layers (Sentinel-2)</source>
            <translation>Szenen als Layer (Sentinel-2)</translation>
        </message>
        <message>
            <source>Task</source>
            <translation>Aufgabe</translation>
        </message>
        <message>
            <source>Other dates for each scene, the nearest ones (not set: 8)</source>
            <translation>Andere Zeitpunkte für jede Szene, die nächsten (nicht gesetzt: 8)</translation>
        </message>
        <message>
            <source>Write the probabilities of all classes of a pixel classifier (large files)</source>
            <translation>Die Wahrscheinlichkeiten aller Klassen eines Pixelklassifikators schreiben (große Dateien)</translation>
        </message>
        <message>
            <source>Folder for the results</source>
            <translation>Ordner für die Ergebnisse</translation>
        </message>
        <message>
            <source>Keep finished scenes of an earlier run</source>
            <translation>Fertige Szenen eines früheren Laufs behalten</translation>
        </message>
        <message>
            <source>{path} is the folder with the scenes. Choose another output folder, such as one in it.</source>
            <translation>{path} ist der Ordner mit den Szenen. Wählen Sie einen anderen Ausgabeordner, zum Beispiel einen darin.</translation>
        </message>
        <message>
            <source>Folder with scenes</source>
            <translation>Ordner mit Szenen</translation>
        </message>
        <message>
            <source>Files in the folder that are scenes (Sentinel-2)</source>
            <translation>Dateien im Ordner, die Szenen sind (Sentinel-2)</translation>
        </message>
        <message>
            <source>Sentinel-1 beside each scene (such as {stem}_s1.tif; empty: none)</source>
            <translation>Sentinel-1 neben jeder Szene (zum Beispiel {stem}_s1.tif; leer: keines)</translation>
        </message>
        <message>
            <source>Table of scenes (instead of the above)</source>
            <translation>Tabelle der Szenen (statt der Angaben oben)</translation>
        </message>
        <message>
            <source>Remove clouds</source>
            <translation>Wolken entfernen</translation>
        </message>
        <message>
            <source>Clean each scene with the other dates of its place</source>
            <translation>Jede Szene mit den anderen Zeitpunkten ihres Ortes bereinigen</translation>
        </message>
        <message>
            <source>Number of scenes that were processed</source>
            <translation>Anzahl der verarbeiteten Szenen</translation>
        </message>
        <message>
            <source>Number of scenes that failed</source>
            <translation>Anzahl der fehlgeschlagenen Szenen</translation>
        </message>
        <message>
            <source>Number of scenes that were kept from an earlier run</source>
            <translation>Anzahl der Szenen, die von einem früheren Lauf behalten wurden</translation>
        </message>
        <message>
            <source>Table of all scenes (CSV)</source>
            <translation>Tabelle aller Szenen (CSV)</translation>
        </message>
        <message>
            <source>{failed} of {count} scenes could not be processed; {summary} says why.</source>
            <translation>{failed} von {count} Szenen konnten nicht verarbeitet werden; {summary} nennt den Grund.</translation>
        </message>
        <message>
            <source>None of the {count} scenes could be processed. The messages above say why.</source>
            <translation>Keine der {count} Szenen konnte verarbeitet werden. Die Meldungen oben nennen den Grund.</translation>
        </message>
        <message>
            <source>Give a folder with scenes, several layers, or a table of scenes.</source>
            <translation>Geben Sie einen Ordner mit Szenen, mehrere Layer oder eine Tabelle der Szenen an.</translation>
        </message>
        <message>
            <source>Give either a table of scenes, or a folder and layers: the table names all scenes.</source>
            <translation>Geben Sie entweder eine Tabelle der Szenen an, oder einen Ordner und Layer: Die Tabelle nennt alle Szenen.</translation>
        </message>
        <message>
            <source>A table of scenes names Sentinel-1 in its column s1. Leave the other field empty.</source>
            <translation>Eine Tabelle der Szenen nennt Sentinel-1 in ihrer Spalte s1. Lassen Sie das andere Feld leer.</translation>
        </message>
        <message>
            <source>Other dates are for removing clouds. Leave them out, or choose another task.</source>
            <translation>Andere Zeitpunkte dienen dem Entfernen von Wolken. Lassen Sie sie weg, oder wählen Sie eine andere Aufgabe.</translation>
        </message>
        <message>
            <source>CSV files (*.csv)</source>
            <translation>CSV-Dateien (*.csv)</translation>
        </message>
        <message>
            <source>Load the results as a group, of up to {count} scenes</source>
            <translation>Die Ergebnisse als Gruppe laden, bei bis zu {count} Szenen</translation>
        </message>
        <message>
            <source>No layers are loaded: {count} scenes are more than {most}. They lie in the output folder.</source>
            <translation>Es werden keine Layer geladen: {count} Szenen sind mehr als {most}. Sie liegen im Ausgabeordner.</translation>
        </message>
        <message>
            <source>{parameter}: {value} is not a CSV file. Choose one that exists.</source>
            <translation>{parameter}: {value} ist keine CSV-Datei. Wählen Sie eine, die es gibt.</translation>
        </message>
        <message>
            <source>Reconstructs what lies under the clouds of a Sentinel-2 scene with the help of Sentinel-1 radar.</source>
            <translation>Rekonstruiert mit Hilfe von Sentinel-1-Radar, was unter den Wolken einer Sentinel-2-Szene liegt.</translation>
        </message>
        <message>
            <source>Removes the clouds and cloud shadows of a Sentinel-2 scene and gives the uncertainty of each pixel.

Sentinel-2 is one raster with the bands (the band names are read from the band descriptions), or any layer of a Sentinel-2 product: the whole product is read. Sentinel-1 is one terrain-corrected raster with VV and VH, in dB or linear power; it is resampled to the Sentinel-2 grid. Some models need no radar.

Clouds and shadows are detected in Level-1C and Level-2A, with or without a scene classification (SCL). Or give your own cloud mask: an SCL, OmniCloudMask, Fmask, Cloud Score+, CLDPRB, MSK_CLASSI, QA60, 0/1, 0/255 or a probability. If its values could have several meanings, the run stops and names them; choose one in the advanced parameters.

Cloud detector: the automatic choice joins the networks of ukis-csmask with s2cloudless (Level-1C) or with the SCL (Level-2A). s2cloudless finds no shadows. Replace says what is reconstructed; the rest stays as it was observed.

Clear pixels keep their values exactly. Cloudy pixels get the model's reconstruction. Along cloud edges the two are blended.

Uncertainty is the standard deviation (sigma) of each band. Reconstructed is the fraction of a pixel that was reconstructed, from 0 (observed) to 1 (fully reconstructed).</source>
            <translation>Entfernt die Wolken und Wolkenschatten einer Sentinel-2-Szene und gibt die Unsicherheit jedes Pixels an.

Sentinel-2 ist ein Raster mit den Bändern (die Bandnamen werden aus den Bandbeschreibungen gelesen) oder ein beliebiger Layer eines Sentinel-2-Produkts: Es wird das ganze Produkt gelesen. Sentinel-1 ist ein geländekorrigiertes Raster mit VV und VH, in dB oder als lineare Leistung; es wird auf das Gitter von Sentinel-2 umgerechnet. Manche Modelle brauchen kein Radar.

Wolken und Schatten werden in Level-1C und Level-2A erkannt, mit oder ohne Szenenklassifikation (SCL). Oder geben Sie eine eigene Wolkenmaske an: SCL, OmniCloudMask, Fmask, Cloud Score+, CLDPRB, MSK_CLASSI, QA60, 0/1, 0/255 oder eine Wahrscheinlichkeit. Können ihre Werte mehrere Bedeutungen haben, hält der Lauf an und nennt sie; wählen Sie dann eine in den fortgeschrittenen Parametern.

Wolkendetektor: Die automatische Wahl verbindet die Netze von ukis-csmask mit s2cloudless (Level-1C) oder mit der SCL (Level-2A). s2cloudless findet keine Schatten. „Ersetzen“ legt fest, was rekonstruiert wird; alles andere bleibt so, wie es beobachtet wurde.

Klare Pixel behalten genau ihre Werte. Bewölkte Pixel erhalten die Rekonstruktion des Modells. Am Wolkenrand werden beide überblendet.

Die Unsicherheit ist die Standardabweichung (Sigma) jedes Bandes. „Rekonstruiert“ ist der rekonstruierte Anteil eines Pixels, von 0 (beobachtet) bis 1 (vollständig rekonstruiert).</translation>
        </message>
        <message>
            <source>Scenes</source>
            <translation>Szenen</translation>
        </message>
        <message>
            <source>Processing level</source>
            <translation>Prozessierungsstufe</translation>
        </message>
        <message>
            <source>Catalogue</source>
            <translation>Katalog</translation>
        </message>
        <message>
            <source>Area</source>
            <translation>Gebiet</translation>
        </message>
        <message>
            <source>Date</source>
            <translation>Datum</translation>
        </message>
        <message>
            <source>Days before and after the date</source>
            <translation>Tage vor und nach dem Datum</translation>
        </message>
        <message>
            <source>Largest cloud cover in percent</source>
            <translation>Größte Bewölkung in Prozent</translation>
        </message>
        <message>
            <source>Profile of another catalogue (YAML; overrides the catalogue above)</source>
            <translation>Profil eines anderen Katalogs (YAML; ersetzt den Katalog darüber)</translation>
        </message>
        <message>
            <source>The area is empty. Choose another one.</source>
            <translation>Das Gebiet ist leer. Wählen Sie ein anderes.</translation>
        </message>
        <message>
            <source>Profiles of catalogues (*.yaml *.yml)</source>
            <translation>Profile von Katalogen (*.yaml *.yml)</translation>
        </message>
        <message>
            <source>In parallel, several scenes are processed at the same time. Each worker needs memory for a scene of its own, and gets its share of the cores. With a dask scheduler in Settings &gt; Options &gt; Processing &gt; Providers &gt; Sunbreak, the workers of its cluster process the scenes; they have to see the same paths.</source>
            <translation>Parallel werden mehrere Szenen zur selben Zeit verarbeitet. Jeder Arbeitsprozess braucht Arbeitsspeicher für eine eigene Szene und bekommt seinen Anteil der Prozessorkerne. Mit einem Dask-Scheduler in Einstellungen &gt; Optionen &gt; Verarbeitung &gt; Anbieter &gt; Sunbreak verarbeiten die Arbeitsprozesse seines Clusters die Szenen; sie müssen dieselben Pfade sehen.</translation>
        </message>
        <message>
            <source>Workers need the Python package distributed, which the backend lacks. The Full builds of Plugins &gt; Sunbreak &gt; Backend have it; a Python of your own gets it with pip install 'sunbreak[distributed]'. Without it, leave the number of workers at 1 and the dask scheduler in the settings empty.</source>
            <translation>Arbeitsprozesse brauchen das Python-Paket distributed, das dem Backend fehlt. Die vollen Pakete unter Erweiterungen &gt; Sunbreak &gt; Backend enthalten es; ein eigenes Python bekommt es mit pip install 'sunbreak[distributed]'. Ohne das Paket lassen Sie die Anzahl der Arbeitsprozesse bei 1 und den Dask-Scheduler in den Einstellungen leer.</translation>
        </message>
        <message>
            <source>Run in parallel: workers on this machine (1: one after the other)</source>
            <translation>Parallel rechnen: Arbeitsprozesse auf diesem Rechner (1: nacheinander)</translation>
        </message>
        <message>
            <source>The scenes go to the dask scheduler at {address}, which is set in Settings &gt; Options &gt; Processing &gt; Providers &gt; Sunbreak. No workers are started on this machine.</source>
            <translation>Die Szenen gehen an den Dask-Scheduler unter {address}, der in Einstellungen &gt; Optionen &gt; Verarbeitung &gt; Anbieter &gt; Sunbreak angegeben ist. Auf diesem Rechner werden keine Arbeitsprozesse gestartet.</translation>
        </message>
        <message>
            <source>Cancelled.</source>
            <translation>Abgebrochen.</translation>
        </message>
        <message>
            <source>The backend could not be run: {error}.</source>
            <translation>Das Backend konnte nicht ausgeführt werden: {error}.</translation>
        </message>
        <message>
            <source>Only the installation needs a network. Without one, install from a folder of wheels.</source>
            <translation>Nur die Installation braucht ein Netz. Ohne Netz installieren Sie aus einem Ordner mit Wheels.</translation>
        </message>
        <message>
            <source>Settings &gt; Options &gt; Network</source>
            <translation>Einstellungen &gt; Optionen &gt; Netzwerk</translation>
        </message>
        <message>
            <source>Install or repair the backend with Plugins &gt; Sunbreak &gt; Backend.</source>
            <translation>Installieren oder reparieren Sie das Backend mit Erweiterungen &gt; Sunbreak &gt; Backend.</translation>
        </message>
        <message>
            <source>Update the older of the two (the backend with Plugins &gt; Sunbreak &gt; Backend).</source>
            <translation>Aktualisieren Sie das ältere von beiden (das Backend mit Erweiterungen &gt; Sunbreak &gt; Backend).</translation>
        </message>
        <message>
            <source>{proxy} refuses the connection to {host}: status {status}</source>
            <translation>{proxy} verweigert die Verbindung zu {host}: Status {status}</translation>
        </message>
        <message>
            <source>backend {theirs}, plugin {ours}</source>
            <translation>Backend {theirs}, Erweiterung {ours}</translation>
        </message>
        <message>
            <source>not set; Sunbreak itself needs no network</source>
            <translation>nicht eingestellt; Sunbreak selbst braucht kein Netz</translation>
        </message>
        <message>
            <source>{proxy} does not answer: {reason}</source>
            <translation>{proxy} antwortet nicht: {reason}</translation>
        </message>
        <message>
            <source>Python {version}, {bits} bit</source>
            <translation>Python {version}, {bits} Bit</translation>
        </message>
        <message>
            <source>The backend needs a 64-bit Python 3.10 to 3.13. Choose another one.</source>
            <translation>Das Backend braucht ein 64-Bit-Python 3.10 bis 3.13. Wählen Sie ein anderes.</translation>
        </message>
        <message>
            <source>no Sunbreak backend is installed in it: {reason}</source>
            <translation>darin ist kein Sunbreak-Backend installiert: {reason}</translation>
        </message>
        <message>
            <source>; protocol {theirs} and {ours}</source>
            <translation>; Protokoll {theirs} und {ours}</translation>
        </message>
        <message>
            <source>{proxy} requires a user name and a password (407)</source>
            <translation>{proxy} verlangt Benutzernamen und Passwort (407)</translation>
        </message>
        <message>
            <source>The backend's findings cannot be read.</source>
            <translation>Der Befund des Backends lässt sich nicht lesen.</translation>
        </message>
        <message>
            <source>no output (exit status {status})</source>
            <translation>keine Ausgabe (Status {status})</translation>
        </message>
        <message>
            <source>{proxy} (not checked: only plain http proxies are)</source>
            <translation>{proxy} (nicht geprüft: nur einfache HTTP-Proxys werden geprüft)</translation>
        </message>
        <message>
            <source>{proxy} works</source>
            <translation>{proxy} funktioniert</translation>
        </message>
        <message>
            <source>{python} does not run: {reason}</source>
            <translation>{python} läuft nicht: {reason}</translation>
        </message>
        <message>
            <source>Check it in {where}.</source>
            <translation>Prüfen Sie ihn unter {where}.</translation>
        </message>
        <message>
            <source>Add them in {where}.</source>
            <translation>Tragen Sie sie ein unter {where}.</translation>
        </message>
        <message>
            <source>it did not answer within {seconds} s</source>
            <translation>keine Antwort innerhalb von {seconds} s</translation>
        </message>
        <message>
            <source>The backend is installed.</source>
            <translation>Das Backend ist installiert.</translation>
        </message>
        <message>
            <source>Creating a Python environment</source>
            <translation>Python-Umgebung wird angelegt</translation>
        </message>
        <message>
            <source>Downloading pip, which this Python lacks</source>
            <translation>pip wird heruntergeladen, das diesem Python fehlt</translation>
        </message>
        <message>
            <source>Querying the package index</source>
            <translation>Paketindex wird abgefragt</translation>
        </message>
        <message>
            <source>Checking the installation</source>
            <translation>Installation wird geprüft</translation>
        </message>
        <message>
            <source>Another QGIS is installing the backend.</source>
            <translation>Ein anderes QGIS installiert gerade das Backend.</translation>
        </message>
        <message>
            <source>Wait until it has finished.</source>
            <translation>Warten Sie, bis es fertig ist.</translation>
        </message>
        <message>
            <source>Wait until its runs have finished, or restart QGIS. Then try again.</source>
            <translation>Warten Sie, bis seine Läufe beendet sind, oder starten Sie QGIS neu. Versuchen Sie es dann noch einmal.</translation>
        </message>
        <message>
            <source>The installation failed.</source>
            <translation>Die Installation ist fehlgeschlagen.</translation>
        </message>
        <message>
            <source>The backend could not be removed: {error}.</source>
            <translation>Das Backend konnte nicht entfernt werden: {error}.</translation>
        </message>
        <message>
            <source>Reusing the packages of {version}</source>
            <translation>Pakete von {version} werden wiederverwendet</translation>
        </message>
        <message>
            <source>The backend needs Python 3.10 to 3.13.</source>
            <translation>Das Backend braucht Python 3.10 bis 3.13.</translation>
        </message>
        <message>
            <source>Install it there with pip or conda, or let Sunbreak install its own backend.</source>
            <translation>Installieren Sie es dort mit pip oder conda, oder lassen Sie Sunbreak ein eigenes Backend installieren.</translation>
        </message>
        <message>
            <source>Update the older of the two.</source>
            <translation>Aktualisieren Sie das ältere von beiden.</translation>
        </message>
        <message>
            <source>Choose another Python.</source>
            <translation>Wählen Sie ein anderes Python.</translation>
        </message>
        <message>
            <source>Choose another interpreter.</source>
            <translation>Wählen Sie einen anderen Interpreter.</translation>
        </message>
        <message>
            <source>Install the Microsoft Visual C++ Redistributable (x64) and try again.</source>
            <translation>Installieren Sie das „Microsoft Visual C++ Redistributable“ (x64) und versuchen Sie es noch einmal.</translation>
        </message>
        <message>
            <source>Repair that environment, or let Sunbreak install its own backend.</source>
            <translation>Reparieren Sie jene Umgebung, oder lassen Sie Sunbreak ein eigenes Backend installieren.</translation>
        </message>
        <message>
            <source>{python} is not a working Python interpreter.</source>
            <translation>{python} ist kein funktionierender Python-Interpreter.</translation>
        </message>
        <message>
            <source>This is Python {version}.</source>
            <translation>Das ist Python {version}.</translation>
        </message>
        <message>
            <source>Python {version} has no Sunbreak backend.</source>
            <translation>Python {version} hat kein Sunbreak-Backend.</translation>
        </message>
        <message>
            <source>{names} cannot be imported there: {why}</source>
            <translation>{names} lässt sich dort nicht importieren: {why}</translation>
        </message>
        <message>
            <source>The backend {release} uses version {theirs} of the process protocol, this plugin uses {ours}.</source>
            <translation>Das Backend {release} verwendet Version {theirs} des Prozessprotokolls, diese Erweiterung verwendet {ours}.</translation>
        </message>
        <message>
            <source>{program} could not be started: {reason}.</source>
            <translation>{program} konnte nicht gestartet werden: {reason}.</translation>
        </message>
        <message>
            <source>The package index has no pip.</source>
            <translation>Der Paketindex hat kein pip.</translation>
        </message>
        <message>
            <source>The downloaded pip is damaged.</source>
            <translation>Das heruntergeladene pip ist beschädigt.</translation>
        </message>
        <message>
            <source>Press Install again.</source>
            <translation>Drücken Sie noch einmal auf „Installieren“.</translation>
        </message>
        <message>
            <source>Check the network and the proxy in Settings &gt; Options &gt; Network.</source>
            <translation>Prüfen Sie Netz und Proxy unter Einstellungen &gt; Optionen &gt; Netzwerk.</translation>
        </message>
        <message>
            <source>This Python has no pip, and the folder of wheels has none either.</source>
            <translation>Dieses Python hat kein pip, und der Ordner mit Wheels auch nicht.</translation>
        </message>
        <message>
            <source>Prepare the folder again, or choose another Python.</source>
            <translation>Bereiten Sie den Ordner noch einmal vor, oder wählen Sie ein anderes Python.</translation>
        </message>
        <message>
            <source>The package index cannot be reached: {reason}.</source>
            <translation>Der Paketindex ist nicht erreichbar: {reason}.</translation>
        </message>
        <message>
            <source>Free some disk space there, or choose Light, the smallest build.</source>
            <translation>Geben Sie dort Speicherplatz frei, oder wählen Sie Light, die kleinste Variante.</translation>
        </message>
        <message>
            <source>No partial files were left.</source>
            <translation>Es sind keine unvollständigen Dateien zurückgeblieben.</translation>
        </message>
        <message>
            <source>The proxy requires a user name and a password (407).</source>
            <translation>Der Proxy verlangt Benutzernamen und Passwort (407).</translation>
        </message>
        <message>
            <source>Set them in Settings &gt; Options &gt; Network, then press Install again.</source>
            <translation>Tragen Sie sie unter Einstellungen &gt; Optionen &gt; Netzwerk ein und drücken Sie noch einmal auf „Installieren“.</translation>
        </message>
        <message>
            <source>The proxy cannot be reached.</source>
            <translation>Der Proxy ist nicht erreichbar.</translation>
        </message>
        <message>
            <source>Check its host and port in Settings &gt; Options &gt; Network, or switch it off there.</source>
            <translation>Prüfen Sie Rechner und Port unter Einstellungen &gt; Optionen &gt; Netzwerk, oder schalten Sie ihn dort ab.</translation>
        </message>
        <message>
            <source>Python's installer cannot use a SOCKS proxy.</source>
            <translation>Pythons Installationsprogramm kann keinen SOCKS-Proxy benutzen.</translation>
        </message>
        <message>
            <source>Set an HTTP proxy in Settings &gt; Options &gt; Network, or install offline from a folder of wheels.</source>
            <translation>Tragen Sie unter Einstellungen &gt; Optionen &gt; Netzwerk einen HTTP-Proxy ein, oder installieren Sie ohne Netz aus einem Ordner mit Wheels.</translation>
        </message>
        <message>
            <source>The certificate of the package index is not trusted.</source>
            <translation>Dem Zertifikat des Paketindexes wird nicht vertraut.</translation>
        </message>
        <message>
            <source>If your company inspects its network traffic, import its root certificate in Settings &gt; Options &gt; Authentication &gt; Manage Certificates, then press Install again.</source>
            <translation>Falls Ihre Firma den Netzverkehr prüft, importieren Sie ihr Stammzertifikat unter Einstellungen &gt; Optionen &gt; Authentifizierung &gt; Zertifikate verwalten, und drücken Sie noch einmal auf „Installieren“.</translation>
        </message>
        <message>
            <source>The disk is full.</source>
            <translation>Der Datenträger ist voll.</translation>
        </message>
        <message>
            <source>Free some space on the disk of the QGIS profile and try again.</source>
            <translation>Geben Sie auf dem Datenträger des QGIS-Profils Speicherplatz frei und versuchen Sie es noch einmal.</translation>
        </message>
        <message>
            <source>The download was interrupted.</source>
            <translation>Das Herunterladen wurde unterbrochen.</translation>
        </message>
        <message>
            <source>Press Install again: complete packages are kept, and the download resumes with the next one.</source>
            <translation>Drücken Sie noch einmal auf „Installieren“: Vollständige Pakete bleiben erhalten, und das Herunterladen wird mit dem nächsten fortgesetzt.</translation>
        </message>
        <message>
            <source>The package index cannot be reached.</source>
            <translation>Der Paketindex ist nicht erreichbar.</translation>
        </message>
        <message>
            <source>Check the network and the proxy (Settings &gt; Options &gt; Network), or install offline from a folder of wheels.</source>
            <translation>Prüfen Sie Netz und Proxy (Einstellungen &gt; Optionen &gt; Netzwerk), oder installieren Sie ohne Netz aus einem Ordner mit Wheels.</translation>
        </message>
        <message>
            <source>Copy it into the folder of wheels again. Then try again.</source>
            <translation>Kopieren Sie es noch einmal in den Ordner mit Wheels. Versuchen Sie es dann erneut.</translation>
        </message>
        <message>
            <source>Press Install to download it again.</source>
            <translation>Drücken Sie auf „Installieren“, um es noch einmal herunterzuladen.</translation>
        </message>
        <message>
            <source>see the log</source>
            <translation>siehe Protokoll</translation>
        </message>
        <message>
            <source>A file name is too long for Windows.</source>
            <translation>Ein Dateiname ist zu lang für Windows.</translation>
        </message>
        <message>
            <source>Switch on long paths in Windows (Settings &gt; System &gt; For developers), or use a profile with a shorter path.</source>
            <translation>Schalten Sie in Windows lange Pfade ein (Einstellungen &gt; System &gt; Für Entwickler), oder benutzen Sie ein Profil mit kürzerem Pfad.</translation>
        </message>
        <message>
            <source>Check the permissions of the QGIS profile folder, and whether another program or a virus scanner locks it.</source>
            <translation>Prüfen Sie die Rechte am Ordner des QGIS-Profils, und ob ein anderes Programm oder ein Virenscanner ihn sperrt.</translation>
        </message>
        <message>
            <source>This Python cannot create virtual environments.</source>
            <translation>Dieses Python kann keine virtuellen Umgebungen anlegen.</translation>
        </message>
        <message>
            <source>Install the missing package (Debian and Ubuntu: python3-venv), or choose another Python.</source>
            <translation>Installieren Sie das fehlende Paket (Debian und Ubuntu: python3-venv), oder wählen Sie ein anderes Python.</translation>
        </message>
        <message>
            <source>Prepare the folder again on a machine of the same kind, for the Python version chosen here.</source>
            <translation>Bereiten Sie den Ordner auf einem gleichartigen Rechner noch einmal vor, für die hier gewählte Python-Version.</translation>
        </message>
        <message>
            <source>Choose another Python (3.11 or 3.12 are the safest) or another build.</source>
            <translation>Wählen Sie ein anderes Python (3.11 oder 3.12 sind am sichersten) oder eine andere Variante.</translation>
        </message>
        <message>
            <source>This Python is too old or too new for the backend.</source>
            <translation>Dieses Python ist für das Backend zu alt oder zu neu.</translation>
        </message>
        <message>
            <source>Choose Python 3.10 to 3.13.</source>
            <translation>Wählen Sie Python 3.10 bis 3.13.</translation>
        </message>
        <message>
            <source>The log has no details.</source>
            <translation>Das Protokoll enthält keine Einzelheiten.</translation>
        </message>
        <message>
            <source>There is too little free disk space: {needed:.1f} GB are needed, {free:.1f} GB are free in {folder}.</source>
            <translation>Es ist zu wenig Speicherplatz frei: {needed:.1f} GB werden gebraucht, {free:.1f} GB sind frei in {folder}.</translation>
        </message>
        <message>
            <source>A package is damaged: {name}.</source>
            <translation>Ein Paket ist beschädigt: {name}.</translation>
        </message>
        <message>
            <source>A downloaded package is damaged: {name}.</source>
            <translation>Ein heruntergeladenes Paket ist beschädigt: {name}.</translation>
        </message>
        <message>
            <source>A file could not be written: {text}.</source>
            <translation>Eine Datei konnte nicht geschrieben werden: {text}.</translation>
        </message>
        <message>
            <source>The folder of wheels has no {name} for this Python and operating system.</source>
            <translation>Der Ordner mit Wheels enthält {name} nicht für dieses Python und Betriebssystem.</translation>
        </message>
        <message>
            <source>The package index has no {name} for this Python and operating system.</source>
            <translation>Der Paketindex hat {name} nicht für dieses Python und Betriebssystem.</translation>
        </message>
        <message>
            <source>Unpacked {done} of {count} packages</source>
            <translation>{done} von {count} Paketen entpackt</translation>
        </message>
        <message>
            <source>Unpacking {count} packages</source>
            <translation>{count} Pakete werden entpackt</translation>
        </message>
        <message>
            <source>{name}: {done:.0f} of {total:.0f} MB ({everything:.0f} MB of about {expected:.0f})</source>
            <translation>{name}: {done:.0f} von {total:.0f} MB ({everything:.0f} MB von etwa {expected:.0f})</translation>
        </message>
        <message>
            <source>Deleting old files of the Sunbreak backend</source>
            <translation>Alte Dateien des Sunbreak-Backends werden gelöscht</translation>
        </message>
        <message>
            <source>Another task is using the backend.</source>
            <translation>Eine andere Aufgabe benutzt das Backend.</translation>
        </message>
        <message>
            <source>Internal error. Please report it with the text of the log.</source>
            <translation>Interner Fehler. Bitte melden Sie ihn mit dem Text des Protokolls.</translation>
        </message>
        <message>
            <source>The installation failed: {error}.</source>
            <translation>Die Installation ist fehlgeschlagen: {error}.</translation>
        </message>
        <message>
            <source>The folder of wheels is ready.</source>
            <translation>Der Ordner mit Wheels ist fertig.</translation>
        </message>
        <message>
            <source>The folder has no wheels of {names}.</source>
            <translation>Der Ordner enthält keine Wheels von {names}.</translation>
        </message>
        <message>
            <source>The backend was killed, most likely because the machine ran out of memory.</source>
            <translation>Das Backend wurde beendet, höchstwahrscheinlich weil der Arbeitsspeicher nicht reichte.</translation>
        </message>
        <message>
            <source>Close other programs, or set a smaller extent.</source>
            <translation>Schließen Sie andere Programme, oder geben Sie eine kleinere Ausdehnung an.</translation>
        </message>
        <message>
            <source>crashed (signal {code})</source>
            <translation>ist abgestürzt (Signal {code})</translation>
        </message>
        <message>
            <source>ended with exit status {code}</source>
            <translation>endete mit Status {code}</translation>
        </message>
        <message>
            <source>{scenes}; and {count} more</source>
            <translation>{scenes}; und {count} weitere</translation>
        </message>
        <message>
            <source>, about {minutes:.0f} min {seconds:02.0f} s left</source>
            <translation>, noch etwa {minutes:.0f} min {seconds:02.0f} s</translation>
        </message>
        <message>
            <source>{program} has no Sunbreak backend.</source>
            <translation>{program} hat kein Sunbreak-Backend.</translation>
        </message>
        <message>
            <source>Install it there: "{program}" -m pip install sunbreak.</source>
            <translation>Installieren Sie es dort: "{program}" -m pip install sunbreak.</translation>
        </message>
        <message>
            <source>The backend {how}.</source>
            <translation>Das Backend {how}.</translation>
        </message>
        <message>
            <source>The backend {release} uses version {theirs} of the process protocol, this plugin uses version {ours}.</source>
            <translation>Das Backend {release} verwendet Version {theirs} des Prozessprotokolls, diese Erweiterung verwendet Version {ours}.</translation>
        </message>
        <message>
            <source>At work: {scenes}</source>
            <translation>In Arbeit: {scenes}</translation>
        </message>
        <message>
            <source>Repair the backend with Plugins &gt; Sunbreak &gt; Backend.</source>
            <translation>Reparieren Sie das Backend mit Erweiterungen &gt; Sunbreak &gt; Backend.</translation>
        </message>
        <message>
            <source>Add PyTorch with Plugins &gt; Sunbreak &gt; Backend.</source>
            <translation>Fügen Sie PyTorch mit Erweiterungen &gt; Sunbreak &gt; Backend hinzu.</translation>
        </message>
        <message>
            <source>Add the networks for clouds, which bring it, with Plugins &gt; Sunbreak &gt; Backend.</source>
            <translation>Fügen Sie die Netze für Wolken, die es mitbringen, mit Erweiterungen &gt; Sunbreak &gt; Backend hinzu.</translation>
        </message>
        <message>
            <source>Check its interpreter in Settings &gt; Options &gt; Processing &gt; Providers &gt; Sunbreak.</source>
            <translation>Prüfen Sie den Interpreter unter Einstellungen &gt; Optionen &gt; Verarbeitung &gt; Anbieter &gt; Sunbreak.</translation>
        </message>
        <message>
            <source>The backend could not be started: {program}: {reason}.</source>
            <translation>Das Backend konnte nicht gestartet werden: {program}: {reason}.</translation>
        </message>
        <message>
            <source>Detects and removes clouds, classifies and explains, on the CPU with OpenVINO. It has no networks for clouds and cloud shadows, no comparison of scenes, no saliency by gradients, no training, no imported checkpoints.</source>
            <translation>Erkennt und entfernt Wolken, klassifiziert und erklärt, auf der CPU mit OpenVINO. Ohne Netze für Wolken und Wolkenschatten, ohne Szenenvergleich, ohne Salienz aus Gradienten, ohne Training, ohne importierte Checkpoints.</translation>
        </message>
        <message>
            <source>Light (OpenVINO, no PyTorch)</source>
            <translation>Light (OpenVINO, ohne PyTorch)</translation>
        </message>
        <message>
            <source>Full (PyTorch and OpenVINO, CPU)</source>
            <translation>Voll (PyTorch und OpenVINO, CPU)</translation>
        </message>
        <message>
            <source>Full (PyTorch, NVIDIA GPU, CUDA 13)</source>
            <translation>Voll (PyTorch, NVIDIA-GPU, CUDA 13)</translation>
        </message>
        <message>
            <source>Full (PyTorch, NVIDIA GPU, CUDA 12)</source>
            <translation>Voll (PyTorch, NVIDIA-GPU, CUDA 12)</translation>
        </message>
        <message>
            <source>Full (PyTorch, Apple silicon)</source>
            <translation>Voll (PyTorch, Apple Silicon)</translation>
        </message>
        <message>
            <source>CPU (runs everywhere, with OpenVINO)</source>
            <translation>CPU (läuft überall, mit OpenVINO)</translation>
        </message>
        <message>
            <source>NVIDIA GPU, CUDA 13 (driver 580 or newer)</source>
            <translation>NVIDIA-GPU, CUDA 13 (Treiber 580 oder neuer)</translation>
        </message>
        <message>
            <source>NVIDIA GPU, CUDA 12 (older GPUs and drivers)</source>
            <translation>NVIDIA-GPU, CUDA 12 (ältere GPUs und Treiber)</translation>
        </message>
        <message>
            <source>Apple silicon (GPU through Metal)</source>
            <translation>Apple Silicon (GPU über Metal)</translation>
        </message>
        <message>
            <source>Everything, with PyTorch: also saliency by gradients, training, imported checkpoints, GPUs.</source>
            <translation>Alles, mit PyTorch: auch Salienz aus Gradienten, Training, importierte Checkpoints, GPUs.</translation>
        </message>
        <message>
            <source>Detects and removes clouds, classifies and explains, on the CPU with OpenVINO. It has no saliency by gradients, no training, no imported checkpoints.</source>
            <translation>Erkennt und entfernt Wolken, klassifiziert und erklärt, auf der CPU mit OpenVINO. Ohne Salienz aus Gradienten, ohne Training, ohne importierte Checkpoints.</translation>
        </message>
        <message>
            <source>{download:.1f} GB download, {disk:.1f} GB on disk</source>
            <translation>{download:.1f} GB Download, {disk:.1f} GB auf der Festplatte</translation>
        </message>
        <message>
            <source>any</source>
            <translation>alle</translation>
        </message>
        <message>
            <source>predicted class</source>
            <translation>vorhergesagte Klasse</translation>
        </message>
        <message>
            <source>Water</source>
            <translation>Wasser</translation>
        </message>
        <message>
            <source>Trees</source>
            <translation>Bäume</translation>
        </message>
        <message>
            <source>Grass</source>
            <translation>Gras</translation>
        </message>
        <message>
            <source>Flooded vegetation</source>
            <translation>Überflutete Vegetation</translation>
        </message>
        <message>
            <source>Crops</source>
            <translation>Ackerland</translation>
        </message>
        <message>
            <source>Shrub and scrub</source>
            <translation>Büsche und Sträucher</translation>
        </message>
        <message>
            <source>Built</source>
            <translation>Bebaut</translation>
        </message>
        <message>
            <source>Bare</source>
            <translation>Offener Boden</translation>
        </message>
        <message>
            <source>Snow and ice</source>
            <translation>Schnee und Eis</translation>
        </message>
        <message>
            <source>Forest</source>
            <translation>Wald</translation>
        </message>
        <message>
            <source>Shrubland</source>
            <translation>Buschland</translation>
        </message>
        <message>
            <source>Savanna</source>
            <translation>Savanne</translation>
        </message>
        <message>
            <source>Grassland</source>
            <translation>Grasland</translation>
        </message>
        <message>
            <source>Wetlands</source>
            <translation>Feuchtgebiete</translation>
        </message>
        <message>
            <source>Croplands</source>
            <translation>Ackerland</translation>
        </message>
        <message>
            <source>Urban/Built-up</source>
            <translation>Siedlung/bebaut</translation>
        </message>
        <message>
            <source>Snow/Ice</source>
            <translation>Schnee/Eis</translation>
        </message>
        <message>
            <source>Barren</source>
            <translation>Ödland</translation>
        </message>
        <message>
            <source>Evidence for {name} at one pixel, the one at the point.</source>
            <translation>Evidenz für {name} an einem Pixel, dem am Punkt.</translation>
        </message>
        <message>
            <source>Area of each class, and the area adjusted for classification error with its 95 % interval:</source>
            <translation>Fläche jeder Klasse, und die um Klassifikationsfehler korrigierte Fläche mit ihrem 95-%-Intervall:</translation>
        </message>
        <message>
            <source>Area of each class:</source>
            <translation>Fläche jeder Klasse:</translation>
        </message>
        <message>
            <source>Evidence for {name}, summed over the pixels inside the polygons.</source>
            <translation>Evidenz für {name}, summiert über die Pixel in den Polygonen.</translation>
        </message>
        <message>
            <source>{name}: {hectares} ha</source>
            <translation>{name}: {hectares} ha</translation>
        </message>
        <message>
            <source>Evidence for the class that was predicted for each pixel, summed over all pixels.</source>
            <translation>Evidenz für die Klasse, die für jeden Pixel vorhergesagt wurde, summiert über alle Pixel.</translation>
        </message>
        <message>
            <source>the predicted class</source>
            <translation>die vorhergesagte Klasse</translation>
        </message>
        <message>
            <source>, adjusted {hectares} ± {half} ha</source>
            <translation>, korrigiert {hectares} ± {half} ha</translation>
        </message>
        <message>
            <source>{share} % of this area depends on reconstructed pixels.</source>
            <translation>{share} % dieser Fläche beruhen auf rekonstruierten Pixeln.</translation>
        </message>
        <message>
            <source>Evidence for {name}, summed over the pixels for which it was predicted.</source>
            <translation>Evidenz für {name}, summiert über die Pixel mit dieser vorhergesagten Klasse.</translation>
        </message>
        <message>
            <source>Evidence for {name} in the patch around the point.</source>
            <translation>Evidenz für {name} im Ausschnitt um den Punkt.</translation>
        </message>
        <message>
            <source>Evidence for {name}, from the patches around each place.</source>
            <translation>Evidenz für {name}, aus den Ausschnitten um jeden Ort.</translation>
        </message>
        <message>
            <source>Found {date}</source>
            <translation>Gefunden: {date}</translation>
        </message>
        <message>
            <source>Radar {date}</source>
            <translation>Radar {date}</translation>
        </message>
        <message>
            <source>Sentinel-2 {date}</source>
            <translation>Sentinel-2 {date}</translation>
        </message>
        <message>
            <source>Satellite</source>
            <translation>Satellit</translation>
        </message>
        <message>
            <source>Covers</source>
            <translation>Abdeckung</translation>
        </message>
        <message>
            <source>Proposed as</source>
            <translation>Vorgeschlagen als</translation>
        </message>
        <message>
            <source>Orbit</source>
            <translation>Orbit</translation>
        </message>
        <message>
            <source>Scenes around {date}</source>
            <translation>Szenen um den {date}</translation>
        </message>
        <message>
            <source>Radar</source>
            <translation>Radar</translation>
        </message>
        <message>
            <source>same day</source>
            <translation>selber Tag</translation>
        </message>
        <message>
            <source>{days} day</source>
            <translation>{days} Tag</translation>
        </message>
        <message>
            <source>{days} days</source>
            <translation>{days} Tage</translation>
        </message>
        <message>
            <source>unknown</source>
            <translation>unbekannt</translation>
        </message>
        <message>
            <source>scene</source>
            <translation>Szene</translation>
        </message>
        <message>
            <source>other date</source>
            <translation>anderer Zeitpunkt</translation>
        </message>
        <message>
            <source>radar</source>
            <translation>Radar</translation>
        </message>
        <message>
            <source>1 date found</source>
            <translation>1 Zeitpunkt gefunden</translation>
        </message>
        <message>
            <source>ascending</source>
            <translation>aufsteigend</translation>
        </message>
        <message>
            <source>descending</source>
            <translation>absteigend</translation>
        </message>
        <message>
            <source>covers {share}</source>
            <translation>deckt {share}</translation>
        </message>
        <message>
            <source>Clouds over the area: {share}</source>
            <translation>Wolken über dem Gebiet: {share}</translation>
        </message>
        <message>
            <source>Clouds over the whole tile: {share}</source>
            <translation>Wolken über der ganzen Kachel: {share}</translation>
        </message>
        <message>
            <source>{count} dates found</source>
            <translation>{count} Zeitpunkte gefunden</translation>
        </message>
        <message>
            <source>Proposed as {use}</source>
            <translation>Als {use}</translation>
        </message>
        <message>
            <source>Radar {date} ({days})</source>
            <translation>Radar {date} ({days})</translation>
        </message>
        <message>
            <source>Cloud shadow over the area: {share}</source>
            <translation>Wolkenschatten über dem Gebiet: {share}</translation>
        </message>
        <message>
            <source>Relative orbit {number}</source>
            <translation>Relativer Orbit {number}</translation>
        </message>
        <message>
            <source>in {catalogue}.</source>
            <translation>in {catalogue}.</translation>
        </message>
        <message>
            <source>Sunbreak backend</source>
            <translation>Sunbreak-Backend</translation>
        </message>
        <message>
            <source>&amp;Add PyTorch…</source>
            <translation>PyTorch &amp;hinzufügen …</translation>
        </message>
        <message>
            <source>&amp;Update</source>
            <translation>&amp;Aktualisieren</translation>
        </message>
        <message>
            <source>&amp;Repair</source>
            <translation>&amp;Reparieren</translation>
        </message>
        <message>
            <source>Remo&amp;ve</source>
            <translation>&amp;Entfernen</translation>
        </message>
        <message>
            <source>&amp;Check</source>
            <translation>&amp;Prüfen</translation>
        </message>
        <message>
            <source>&amp;Log</source>
            <translation>Pro&amp;tokoll</translation>
        </message>
        <message>
            <source>Install</source>
            <translation>Installieren</translation>
        </message>
        <message>
            <source>Cancel installation</source>
            <translation>Installation abbrechen</translation>
        </message>
        <message>
            <source>Installing the Sunbreak backend</source>
            <translation>Das Sunbreak-Backend wird installiert</translation>
        </message>
        <message>
            <source>Folder for the wheels</source>
            <translation>Ordner für die Wheels</translation>
        </message>
        <message>
            <source>Preparing a folder of wheels for Sunbreak</source>
            <translation>Ein Ordner mit Wheels für Sunbreak wird vorbereitet</translation>
        </message>
        <message>
            <source>Checking a Python for Sunbreak</source>
            <translation>Ein Python wird für Sunbreak geprüft</translation>
        </message>
        <message>
            <source>The backend was installed from a folder of wheels. Choose that folder, then install again.</source>
            <translation>Das Backend wurde aus einem Ordner mit Wheels installiert. Wählen Sie diesen Ordner und installieren Sie noch einmal.</translation>
        </message>
        <message>
            <source>Remove the backend {version} from your QGIS profile? Models and results are kept.</source>
            <translation>Das Backend {version} aus Ihrem QGIS-Profil entfernen? Modelle und Ergebnisse bleiben erhalten.</translation>
        </message>
        <message>
            <source>Removing the Sunbreak backend</source>
            <translation>Das Sunbreak-Backend wird entfernt</translation>
        </message>
        <message>
            <source>Cancelling</source>
            <translation>Wird abgebrochen</translation>
        </message>
        <message>
            <source>Updating the Sunbreak backend</source>
            <translation>Das Sunbreak-Backend wird aktualisiert</translation>
        </message>
        <message>
            <source>Repairing the Sunbreak backend</source>
            <translation>Das Sunbreak-Backend wird repariert</translation>
        </message>
        <message>
            <source>Adding packages to the Sunbreak backend</source>
            <translation>Pakete werden zum Sunbreak-Backend hinzugefügt</translation>
        </message>
        <message>
            <source>Checking {path}</source>
            <translation>{path} wird geprüft</translation>
        </message>
        <message>
            <source>&amp;Install</source>
            <translation>&amp;Installieren</translation>
        </message>
        <message>
            <source>O&amp;ther…</source>
            <translation>An&amp;deres …</translation>
        </message>
        <message>
            <source>Choose another Python 3.10 to 3.13</source>
            <translation>Ein anderes Python 3.10 bis 3.13 wählen</translation>
        </message>
        <message>
            <source>&amp;Keep finished downloads when I cancel</source>
            <translation>Fertige Downloads be&amp;halten, wenn ich abbreche</translation>
        </message>
        <message>
            <source>&amp;Python:</source>
            <translation>&amp;Python:</translation>
        </message>
        <message>
            <source>Searching for Python…</source>
            <translation>Python wird gesucht …</translation>
        </message>
        <message>
            <source>Add PyTorch</source>
            <translation>PyTorch hinzufügen</translation>
        </message>
        <message>
            <source>Add the networks</source>
            <translation>Netze hinzufügen</translation>
        </message>
        <message>
            <source>Adds about {download:.1f} GB of downloads and {disk:.1f} GB on disk in {folder} ({free:.0f} GB free).</source>
            <translation>Lädt etwa {download:.1f} GB und belegt etwa {disk:.1f} GB mehr in {folder} ({free:.0f} GB frei).</translation>
        </message>
        <message>
            <source>Downloads about {download:.1f} GB and takes about {disk:.1f} GB in {folder} ({free:.0f} GB free).</source>
            <translation>Lädt etwa {download:.1f} GB und belegt etwa {disk:.1f} GB in {folder} ({free:.0f} GB frei).</translation>
        </message>
        <message>
            <source>Choose a Python 3.10 to 3.13</source>
            <translation>Ein Python 3.10 bis 3.13 wählen</translation>
        </message>
        <message>
            <source>Install &amp;offline</source>
            <translation>&amp;Ohne Netz installieren</translation>
        </message>
        <message>
            <source>Install from this folder</source>
            <translation>Aus diesem Ordner installieren</translation>
        </message>
        <message>
            <source>Folder of wheels</source>
            <translation>Ordner mit Wheels</translation>
        </message>
        <message>
            <source>Prepare &amp;such a folder here…</source>
            <translation>Einen solchen Ordner &amp;hier vorbereiten …</translation>
        </message>
        <message>
            <source>Downloads all packages for the Python and the build chosen under Install</source>
            <translation>Lädt alle Pakete für das Python und die Variante herunter, die unter „Installieren“ gewählt sind</translation>
        </message>
        <message>
            <source>&amp;Folder of wheels:</source>
            <translation>Ordner mit &amp;Wheels:</translation>
        </message>
        <message>
            <source>Use an existing &amp;Python</source>
            <translation>Vorhandenes &amp;Python benutzen</translation>
        </message>
        <message>
            <source>Check and use</source>
            <translation>Prüfen und benutzen</translation>
        </message>
        <message>
            <source>interpreter, or folder of a virtual or conda environment</source>
            <translation>Interpreter, oder Ordner einer virtuellen oder Conda-Umgebung</translation>
        </message>
        <message>
            <source>&amp;Browse…</source>
            <translation>&amp;Durchsuchen …</translation>
        </message>
        <message>
            <source>&amp;Environment:</source>
            <translation>&amp;Umgebung:</translation>
        </message>
        <message>
            <source>Choose a Python that has the backend</source>
            <translation>Ein Python wählen, das das Backend hat</translation>
        </message>
        <message>
            <source>Installs the backend into a separate Python environment in your QGIS profile. Nothing is installed into QGIS itself.</source>
            <translation>Installiert das Backend in eine eigene Python-Umgebung in Ihrem QGIS-Profil. In QGIS selbst wird nichts installiert.</translation>
        </message>
        <message>
            <source>none found</source>
            <translation>keines gefunden</translation>
        </message>
        <message>
            <source>This is not a Python 3.10 to 3.13 that can create an environment.</source>
            <translation>Das ist kein Python 3.10 bis 3.13, das eine Umgebung anlegen kann.</translation>
        </message>
        <message>
            <source>For machines without a network. Prepare the folder on a machine with a network and the same operating system, processor and Python version.</source>
            <translation>Für Rechner ohne Netz. Bereiten Sie den Ordner auf einem Rechner mit Netz vor, der dasselbe Betriebssystem, denselben Prozessortyp und dieselbe Python-Version hat.</translation>
        </message>
        <message>
            <source>Uses a Python or conda environment that you maintain yourself. Its version, its packages and its backend are checked first.</source>
            <translation>Benutzt eine Python- oder Conda-Umgebung, die Sie selbst pflegen. Zuerst werden ihre Version, ihre Pakete und ihr Backend geprüft.</translation>
        </message>
        <message>
            <source>No Python 3.10 to 3.13 was found. Install one, for example from {link}, then open this window again. QGIS's own Python cannot be used: what is installed into it can break other plugins.</source>
            <translation>Es wurde kein Python 3.10 bis 3.13 gefunden. Installieren Sie eines, zum Beispiel von {link}, und öffnen Sie dieses Fenster noch einmal. QGIS' eigenes Python kann nicht benutzt werden: Was dort installiert wird, kann andere Erweiterungen stören.</translation>
        </message>
        <message>
            <source>This folder has no wheels of {names}.</source>
            <translation>Dieser Ordner enthält keine Wheels von {names}.</translation>
        </message>
        <message>
            <source>{count} packages, {size:.0f} MB: {build}.</source>
            <translation>{count} Pakete, {size:.0f} MB: {build}.</translation>
        </message>
        <message>
            <source>It will be installed with {python}.</source>
            <translation>Installiert wird mit {python}.</translation>
        </message>
        <message>
            <source>They are for Python {version}, which was not found on this machine.</source>
            <translation>Sie sind für Python {version}, das auf diesem Rechner nicht gefunden wurde.</translation>
        </message>
        <message>
            <source>No backend is installed yet.</source>
            <translation>Es ist noch kein Backend installiert.</translation>
        </message>
        <message>
            <source>The backend is removed.</source>
            <translation>Das Backend ist entfernt.</translation>
        </message>
        <message>
            <source>Sunbreak {version}, {build}, Python {python}</source>
            <translation>Sunbreak {version}, {build}, Python {python}</translation>
        </message>
        <message>
            <source>without networks for clouds</source>
            <translation>ohne Netze für Wolken</translation>
        </message>
        <message>
            <source>Installed: {backend}.</source>
            <translation>Installiert: {backend}.</translation>
        </message>
        <message>
            <source>{path} works: Python {python}, Sunbreak {sunbreak}, {torch}, devices: {devices}.</source>
            <translation>{path} funktioniert: Python {python}, Sunbreak {sunbreak}, {torch}, Geräte: {devices}.</translation>
        </message>
        <message>
            <source>In use: your own Python {path}.</source>
            <translation>In Gebrauch: Ihr eigenes Python {path}.</translation>
        </message>
        <message>
            <source>The backend {version} cannot be started, because its Python was removed: {base}. Press Repair.</source>
            <translation>Das Backend {version} lässt sich nicht starten, weil sein Python entfernt wurde: {base}. Drücken Sie auf „Reparieren“.</translation>
        </message>
        <message>
            <source>{backend} is installed and will be used.</source>
            <translation>{backend} ist installiert und wird benutzt.</translation>
        </message>
        <message>
            <source>It does not detect the GPU and will use the CPU. Update the NVIDIA driver.</source>
            <translation>Es erkennt die GPU nicht und rechnet auf der CPU. Aktualisieren Sie den NVIDIA-Treiber.</translation>
        </message>
        <message>
            <source>{folder}: {count} packages, {size:.0f} MB, {build}, for machines like this one.</source>
            <translation>{folder}: {count} Pakete, {size:.0f} MB, {build}, für Rechner wie diesen.</translation>
        </message>
        <message>
            <source>no PyTorch</source>
            <translation>ohne PyTorch</translation>
        </message>
        <message>
            <source>The plugin has version {version}: press Update.</source>
            <translation>Die Erweiterung hat die Version {version}: Drücken Sie auf „Aktualisieren“.</translation>
        </message>
        <message>
            <source>The plugin has version {version}; use the same version for both.</source>
            <translation>Die Erweiterung hat die Version {version}; benutzen Sie für beide dieselbe Version.</translation>
        </message>
        <message>
            <source>&amp;Networks for clouds and cloud shadows</source>
            <translation>&amp;Netze für Wolken und Wolkenschatten</translation>
        </message>
        <message>
            <source>With SciPy, which Compare scenes needs too</source>
            <translation>Mit SciPy, das auch „Szenen vergleichen“ braucht</translation>
        </message>
        <message>
            <source>default package index</source>
            <translation>Standard-Paketindex</translation>
        </message>
        <message>
            <source>Torch &amp;build:</source>
            <translation>&amp;Torch-Variante:</translation>
        </message>
        <message>
            <source>Torch &amp;from:</source>
            <translation>Torch &amp;von:</translation>
        </message>
        <message>
            <source>Apple silicon</source>
            <translation>Apple Silicon</translation>
        </message>
        <message>
            <source>a Mac with an Intel processor, for which PyTorch has no build</source>
            <translation>ein Mac mit Intel-Prozessor, für den es kein PyTorch gibt</translation>
        </message>
        <message>
            <source>no NVIDIA GPU</source>
            <translation>keine NVIDIA-GPU</translation>
        </message>
        <message>
            <source>F&amp;ull</source>
            <translation>Vo&amp;ll</translation>
        </message>
        <message>
            <source>PyTorch has no build for this machine.</source>
            <translation>Für diesen Rechner gibt es kein PyTorch.</translation>
        </message>
        <message>
            <source>Detected: {what}. Recommended: {build}.</source>
            <translation>Erkannt: {what}. Empfohlen: {build}.</translation>
        </message>
        <message>
            <source>Li&amp;ght: {sizes}</source>
            <translation>Li&amp;ght: {sizes}</translation>
        </message>
        <message>
            <source>F&amp;ull: {sizes}</source>
            <translation>Vo&amp;ll: {sizes}</translation>
        </message>
        <message>
            <source>predicted (the class of each place)</source>
            <translation>predicted (die Klasse jedes Ortes)</translation>
        </message>
        <message>
            <source>none (explain nothing)</source>
            <translation>none (nichts erklären)</translation>
        </message>
        <message>
            <source>{date} ({days} day): {name}</source>
            <translation>{date} ({days} Tag): {name}</translation>
        </message>
        <message>
            <source>{date} ({days} days): {name}</source>
            <translation>{date} ({days} Tage): {name}</translation>
        </message>
        <message>
            <source>Other dates</source>
            <translation>Andere Zeitpunkte</translation>
        </message>
        <message>
            <source>The project has no other date of this place.</source>
            <translation>Das Projekt enthält keinen anderen Zeitpunkt dieses Ortes.</translation>
        </message>
        <message>
            <source>&amp;Add files…</source>
            <translation>Dat&amp;eien hinzufügen …</translation>
        </message>
        <message>
            <source>Sentinel-2 scenes of the same place, before or after; they may be cloudy</source>
            <translation>Sentinel-2-Szenen desselben Ortes, vorher oder nachher; sie dürfen bewölkt sein</translation>
        </message>
        <message>
            <source>Ot&amp;her dates</source>
            <translation>Andere Zeitp&amp;unkte</translation>
        </message>
        <message>
            <source>Other dates of the same place</source>
            <translation>Andere Zeitpunkte desselben Ortes</translation>
        </message>
        <message>
            <source>Date unknown: {name}</source>
            <translation>Datum unbekannt: {name}</translation>
        </message>
        <message>
            <source>{path} cannot be opened as a raster. Check that the file exists.</source>
            <translation>{path} lässt sich nicht als Raster öffnen. Prüfen Sie, ob die Datei vorhanden ist.</translation>
        </message>
        <message>
            <source>{path} is the scene itself.</source>
            <translation>{path} ist die Szene selbst.</translation>
        </message>
        <message>
            <source>The run covers the rectangle.</source>
            <translation>Der Lauf umfasst das Rechteck.</translation>
        </message>
        <message>
            <source>Draw a rectangle on the map.</source>
            <translation>Ziehen Sie auf der Karte ein Rechteck auf.</translation>
        </message>
        <message>
            <source>Whole scene</source>
            <translation>Ganze Szene</translation>
        </message>
        <message>
            <source>Current view</source>
            <translation>Aktueller Kartenausschnitt</translation>
        </message>
        <message>
            <source>Drawn on the map</source>
            <translation>Auf der Karte gezeichnet</translation>
        </message>
        <message>
            <source>Draw a rectangle on the map first.</source>
            <translation>Zuerst ein Rechteck auf der Karte zeichnen.</translation>
        </message>
        <message>
            <source>The rectangle does not overlap the scene.</source>
            <translation>Das Rechteck überlappt die Szene nicht.</translation>
        </message>
        <message>
            <source>The current view does not show the scene.</source>
            <translation>Der aktuelle Kartenausschnitt zeigt die Szene nicht.</translation>
        </message>
        <message>
            <source>The map extent cannot be transformed to the coordinate system of the scene ({crs}). Zoom to the scene.</source>
            <translation>Die Kartenausdehnung lässt sich nicht in das Koordinatensystem der Szene ({crs}) umrechnen. Zoomen Sie auf die Szene.</translation>
        </message>
        <message>
            <source>two</source>
            <translation>zwei</translation>
        </message>
        <message>
            <source>three</source>
            <translation>drei</translation>
        </message>
        <message>
            <source>four</source>
            <translation>vier</translation>
        </message>
        <message>
            <source>six</source>
            <translation>sechs</translation>
        </message>
        <message>
            <source>eight</source>
            <translation>acht</translation>
        </message>
        <message>
            <source>nine</source>
            <translation>neun</translation>
        </message>
        <message>
            <source>The search covers the rectangle.</source>
            <translation>Die Suche umfasst das Rechteck.</translation>
        </message>
        <message>
            <source>Where to search; one scene is cut to this area</source>
            <translation>Wo gesucht wird; eine Szene wird auf dieses Gebiet zugeschnitten</translation>
        </message>
        <message>
            <source>Polygon layer</source>
            <translation>Polygonlayer</translation>
        </message>
        <message>
            <source>The rectangle around its selected polygons, or around all of them</source>
            <translation>Das Rechteck um seine gewählten Polygone, oder um alle</translation>
        </message>
        <message>
            <source>{width} × {height} km</source>
            <translation>{width} × {height} km</translation>
        </message>
        <message>
            <source>The project has no layer of polygons. Load one, or choose another area.</source>
            <translation>Das Projekt hat keinen Polygonlayer. Laden Sie einen, oder wählen Sie ein anderes Gebiet.</translation>
        </message>
        <message>
            <source>{size}: too large for a search, zoom in.</source>
            <translation>{size}: zu groß für eine Suche, zoomen Sie hinein.</translation>
        </message>
        <message>
            <source>{size}: large. Each date is most of a tile of Sentinel-2, which takes long to load.</source>
            <translation>{size}: groß. Jeder Zeitpunkt ist fast eine ganze Kachel von Sentinel-2, die lange lädt.</translation>
        </message>
        <message>
            <source>{size}: large. Each date is about {tiles} tiles of Sentinel-2, which take long to load.</source>
            <translation>{size}: groß. Jeder Zeitpunkt sind etwa {tiles} Kacheln von Sentinel-2, die lange laden.</translation>
        </message>
        <message>
            <source>The area cannot be transformed to degrees. Zoom to a place on land.</source>
            <translation>Das Gebiet lässt sich nicht in Grad umrechnen. Zoomen Sie auf einen Ort an Land.</translation>
        </message>
        <message>
            <source>The area is {size} large. Zoom in, or draw a rectangle of at most {most} km.</source>
            <translation>Das Gebiet ist {size} groß. Zoomen Sie hinein, oder zeichnen Sie ein Rechteck von höchstens {most} km.</translation>
        </message>
        <message>
            <source>The layer {name} has no polygons.</source>
            <translation>Der Layer {name} hat keine Polygone.</translation>
        </message>
        <message>
            <source>The date that you want a scene of</source>
            <translation>Das Datum, von dem Sie eine Szene möchten</translation>
        </message>
        <message>
            <source> days</source>
            <translation> Tage</translation>
        </message>
        <message>
            <source>Days before and after the date; other dates come from these days too</source>
            <translation>Tage vor und nach dem Datum; auch andere Zeitpunkte stammen aus diesen Tagen</translation>
        </message>
        <message>
            <source>Leave out dates with more clouds than this; 100 % leaves out none</source>
            <translation>Zeitpunkte mit mehr Wolken weglassen; 100 % lässt keinen weg</translation>
        </message>
        <message>
            <source>Processing level of Sentinel-2</source>
            <translation>Prozessierungsstufe von Sentinel-2</translation>
        </message>
        <message>
            <source>Where to search; only this catalogue's hosts are asked</source>
            <translation>Wo gesucht wird; nur die Server dieses Katalogs werden gefragt</translation>
        </message>
        <message>
            <source>Pro&amp;file…</source>
            <translation>Pro&amp;fil …</translation>
        </message>
        <message>
            <source>Add a catalogue that a profile file (YAML) describes</source>
            <translation>Einen Katalog hinzufügen, den eine Profildatei (YAML) beschreibt</translation>
        </message>
        <message>
            <source>&amp;Search</source>
            <translation>&amp;Suchen</translation>
        </message>
        <message>
            <source>List the Sentinel-2 and Sentinel-1 scenes of this place</source>
            <translation>Die Sentinel-2- und Sentinel-1-Szenen dieses Ortes auflisten</translation>
        </message>
        <message>
            <source>Profile of a catalogue</source>
            <translation>Profil eines Katalogs</translation>
        </message>
        <message>
            <source>&amp;Area</source>
            <translation>&amp;Gebiet</translation>
        </message>
        <message>
            <source>&amp;Date</source>
            <translation>&amp;Datum</translation>
        </message>
        <message>
            <source>Clo&amp;uds up to</source>
            <translation>W&amp;olken bis</translation>
        </message>
        <message>
            <source>Le&amp;vel</source>
            <translation>Le&amp;vel</translation>
        </message>
        <message>
            <source>Ca&amp;talogue</source>
            <translation>&amp;Katalog</translation>
        </message>
        <message>
            <source>The scene whose clouds are removed: one date</source>
            <translation>Die Szene, deren Wolken entfernt werden: ein Zeitpunkt</translation>
        </message>
        <message>
            <source>Other dates that show what lies under the clouds: any number</source>
            <translation>Andere Zeitpunkte, die zeigen, was unter den Wolken liegt: beliebig viele</translation>
        </message>
        <message>
            <source>Cloud cover over the area, and how much of the area has data</source>
            <translation>Bewölkung über dem Gebiet, und wie viel vom Gebiet Daten hat</translation>
        </message>
        <message>
            <source>Found dates</source>
            <translation>Gefundene Zeitpunkte</translation>
        </message>
        <message>
            <source>Enter makes a date the scene, the space bar ticks it as another date. Its radar lies below it.</source>
            <translation>Die Eingabetaste macht einen Zeitpunkt zur Szene, die Leertaste hakt ihn als anderen Zeitpunkt an. Sein Radar steht darunter.</translation>
        </message>
        <message>
            <source>Scene</source>
            <translation>Szene</translation>
        </message>
        <message>
            <source>Other</source>
            <translation>Andere</translation>
        </message>
        <message>
            <source>Do &amp;not take it</source>
            <translation>&amp;Nicht nehmen</translation>
        </message>
        <message>
            <source>Take as another &amp;date</source>
            <translation>Als anderen &amp;Zeitpunkt nehmen</translation>
        </message>
        <message>
            <source>{share} of tile</source>
            <translation>{share} der Kachel</translation>
        </message>
        <message>
            <source>Take as the &amp;scene</source>
            <translation>Als &amp;Szene nehmen</translation>
        </message>
        <message>
            <source>Each load makes a folder of its own in it</source>
            <translation>Jedes Laden legt darin einen eigenen Ordner an</translation>
        </message>
        <message>
            <source>&amp;Load</source>
            <translation>&amp;Laden</translation>
        </message>
        <message>
            <source>Load the ticked dates and their radar, cut to the area</source>
            <translation>Die angehakten Zeitpunkte und ihr Radar laden, auf das Gebiet zugeschnitten</translation>
        </message>
        <message>
            <source>L&amp;oad and clean</source>
            <translation>Laden und &amp;bereinigen</translation>
        </message>
        <message>
            <source>Load the ticked dates, then remove the clouds of the scene</source>
            <translation>Die angehakten Zeitpunkte laden, dann die Wolken der Szene entfernen</translation>
        </message>
        <message>
            <source>&amp;Cancel</source>
            <translation>&amp;Abbrechen</translation>
        </message>
        <message>
            <source>&amp;Install the backend…</source>
            <translation>Backend &amp;installieren …</translation>
        </message>
        <message>
            <source>The backend lacks the packages that search catalogues</source>
            <translation>Dem Backend fehlen die Pakete zum Suchen in Katalogen</translation>
        </message>
        <message>
            <source>Searching…</source>
            <translation>Wird gesucht …</translation>
        </message>
        <message>
            <source>Loading…</source>
            <translation>Wird geladen …</translation>
        </message>
        <message>
            <source>Folde&amp;r</source>
            <translation>O&amp;rdner</translation>
        </message>
        <message>
            <source>Choose a place and a date, then search. What is found is listed here.</source>
            <translation>Wählen Sie einen Ort und ein Datum, dann suchen Sie. Hier steht, was gefunden wurde.</translation>
        </message>
        <message>
            <source>Tick one date as the scene first.</source>
            <translation>Haken Sie zuerst einen Zeitpunkt als Szene an.</translation>
        </message>
        <message>
            <source>Choose a folder for the scenes first.</source>
            <translation>Wählen Sie zuerst einen Ordner für die Szenen.</translation>
        </message>
        <message>
            <source>Cancelling…</source>
            <translation>Wird abgebrochen …</translation>
        </message>
        <message>
            <source>No scene was found.</source>
            <translation>Keine Szene gefunden.</translation>
        </message>
        <message>
            <source>Loaded: {count} layers in {folder}.</source>
            <translation>Geladen: {count} Layer in {folder}.</translation>
        </message>
        <message>
            <source>Timeline of cloud cover</source>
            <translation>Zeitleiste der Bewölkung</translation>
        </message>
        <message>
            <source>wished date {date}</source>
            <translation>gewünschtes Datum {date}</translation>
        </message>
        <message>
            <source>not ticked</source>
            <translation>nicht angehakt</translation>
        </message>
        <message>
            <source>Import a checkpoint</source>
            <translation>Checkpoint importieren</translation>
        </message>
        <message>
            <source>Checkpoint</source>
            <translation>Checkpoint</translation>
        </message>
        <message>
            <source>Checkpoints (*.pth *.pt *.tar *.ckpt *.safetensors);;All files (*)</source>
            <translation>Checkpoints (*.pth *.pt *.tar *.ckpt *.safetensors);;Alle Dateien (*)</translation>
        </message>
        <message>
            <source>Configuration</source>
            <translation>Konfiguration</translation>
        </message>
        <message>
            <source>Configurations (*.json);;All files (*)</source>
            <translation>Konfigurationen (*.json);;Alle Dateien (*)</translation>
        </message>
        <message>
            <source>conf.json of an UnCRtainTS training, or JSON with the bands, classes and scaling of a classifier</source>
            <translation>conf.json eines UnCRtainTS-Trainings, oder JSON mit Bändern, Klassen und Skalierung eines Klassifikators</translation>
        </message>
        <message>
            <source>one-line description</source>
            <translation>Beschreibung in einer Zeile</translation>
        </message>
        <message>
            <source>licence of the weights, such as CC-BY-4.0 (empty: unknown)</source>
            <translation>Lizenz der Gewichte, etwa CC-BY-4.0 (leer: unbekannt)</translation>
        </message>
        <message>
            <source>Choose the checkpoint file.</source>
            <translation>Wählen Sie die Checkpoint-Datei.</translation>
        </message>
        <message>
            <source>Detected from the checkpoint</source>
            <translation>Aus dem Checkpoint erkannt</translation>
        </message>
        <message>
            <source>&amp;Checkpoint</source>
            <translation>&amp;Checkpoint</translation>
        </message>
        <message>
            <source>&amp;Name</source>
            <translation>&amp;Name</translation>
        </message>
        <message>
            <source>&amp;Task</source>
            <translation>Auf&amp;gabe</translation>
        </message>
        <message>
            <source>T&amp;itle</source>
            <translation>&amp;Titel</translation>
        </message>
        <message>
            <source>&amp;Licence</source>
            <translation>&amp;Lizenz</translation>
        </message>
        <message>
            <source>C&amp;onfiguration</source>
            <translation>&amp;Konfiguration</translation>
        </message>
        <message>
            <source>A name may contain letters, digits, dots, dashes and underscores.</source>
            <translation>Ein Name darf Buchstaben, Ziffern, Punkte, Binde- und Unterstriche enthalten.</translation>
        </message>
        <message>
            <source>The configuration file does not exist.</source>
            <translation>Die Konfigurationsdatei ist nicht vorhanden.</translation>
        </message>
        <message>
            <source>A model {name} exists already.</source>
            <translation>Ein Modell {name} ist schon vorhanden.</translation>
        </message>
        <message>
            <source>Sunbreak: inspect a scene</source>
            <translation>Sunbreak: Szene untersuchen</translation>
        </message>
        <message>
            <source>Looking at the scene…</source>
            <translation>Die Szene wird untersucht …</translation>
        </message>
        <message>
            <source>What was found</source>
            <translation>Was gefunden wurde</translation>
        </message>
        <message>
            <source>Notes and warnings</source>
            <translation>Hinweise und Warnungen</translation>
        </message>
        <message>
            <source>C&amp;opy as text</source>
            <translation>Als Text k&amp;opieren</translation>
        </message>
        <message>
            <source>Nothing was processed. This is what a run will assume.</source>
            <translation>Es wurde nichts verarbeitet. Das nimmt ein Lauf an.</translation>
        </message>
        <message>
            <source>Found</source>
            <translation>Gefunden</translation>
        </message>
        <message>
            <source>Why</source>
            <translation>Grund</translation>
        </message>
        <message>
            <source>Warnings: {count}, see below.</source>
            <translation>Warnungen: {count}, siehe unten.</translation>
        </message>
        <message>
            <source>&amp;Panel</source>
            <translation>&amp;Bedienfeld</translation>
        </message>
        <message>
            <source>Add…</source>
            <translation>Hinzufügen …</translation>
        </message>
        <message>
            <source>Mode&amp;ls…</source>
            <translation>&amp;Modelle …</translation>
        </message>
        <message>
            <source>&amp;Backend…</source>
            <translation>&amp;Backend …</translation>
        </message>
        <message>
            <source>&amp;Doctor…</source>
            <translation>&amp;Diagnose …</translation>
        </message>
        <message>
            <source>Open the de&amp;mo scene</source>
            <translation>Beispiels&amp;zene öffnen</translation>
        </message>
        <message>
            <source>&amp;User guide</source>
            <translation>Ben&amp;utzerhandbuch</translation>
        </message>
        <message>
            <source>The backend, which runs the computations, is not installed yet.</source>
            <translation>Das Backend, das die Berechnungen ausführt, ist noch nicht installiert.</translation>
        </message>
        <message>
            <source>Install…</source>
            <translation>Installieren …</translation>
        </message>
        <message>
            <source>{path} cannot be opened. Install the plugin again.</source>
            <translation>{path} lässt sich nicht öffnen. Installieren Sie die Erweiterung noch einmal.</translation>
        </message>
        <message>
            <source>Gives a class to each pixel.</source>
            <translation>Gibt jedem Pixel eine Klasse.</translation>
        </message>
        <message>
            <source>Gives a class to each patch.</source>
            <translation>Gibt jedem Ausschnitt eine Klasse.</translation>
        </message>
        <message>
            <source>PSNR {value:.1f} dB</source>
            <translation>PSNR {value:.1f} dB</translation>
        </message>
        <message>
            <source>Measured on {data}: {figures}.</source>
            <translation>Gemessen an {data}: {figures}.</translation>
        </message>
        <message>
            <source>No metrics are recorded for this model.</source>
            <translation>Für dieses Modell sind keine Maße hinterlegt.</translation>
        </message>
        <message>
            <source>accuracy {accuracy:.0f} %</source>
            <translation>Genauigkeit {accuracy:.0f} %</translation>
        </message>
        <message>
            <source>, {value:.1f} dB under clouds</source>
            <translation>, {value:.1f} dB unter Wolken</translation>
        </message>
        <message>
            <source> (cloudy input: {value:.1f} dB)</source>
            <translation> (bewölkte Eingabe: {value:.1f} dB)</translation>
        </message>
        <message>
            <source>Licence: {licence}</source>
            <translation>Lizenz: {licence}</translation>
        </message>
        <message>
            <source>Model card…</source>
            <translation>Modellkarte …</translation>
        </message>
        <message>
            <source>, macro F1 {f1:.2f}</source>
            <translation>, Makro-F1 {f1:.2f}</translation>
        </message>
        <message>
            <source>Default</source>
            <translation>Voreinstellung</translation>
        </message>
        <message>
            <source>Sunbreak: models</source>
            <translation>Sunbreak: Modelle</translation>
        </message>
        <message>
            <source>&amp;Import a checkpoint…</source>
            <translation>Checkpoint &amp;importieren …</translation>
        </message>
        <message>
            <source>&amp;Delete…</source>
            <translation>&amp;Löschen …</translation>
        </message>
        <message>
            <source>&amp;Models</source>
            <translation>&amp;Modelle</translation>
        </message>
        <message>
            <source>Delete</source>
            <translation>Löschen</translation>
        </message>
        <message>
            <source>Importing {name}…</source>
            <translation>{name} wird importiert …</translation>
        </message>
        <message>
            <source>{name} (default)</source>
            <translation>{name} (voreingestellt)</translation>
        </message>
        <message>
            <source>Delete the model {name} with its weights?</source>
            <translation>Das Modell {name} mit seinen Gewichten löschen?</translation>
        </message>
        <message>
            <source>Deleting {name}…</source>
            <translation>{name} wird gelöscht …</translation>
        </message>
        <message>
            <source>Sunbreak</source>
            <translation>Sunbreak</translation>
        </message>
        <message>
            <source>Only if VH is a layer of its own; the layer above is VV then</source>
            <translation>Nur, wenn VH ein eigener Layer ist; der Layer darüber ist dann VV</translation>
        </message>
        <message>
            <source>&amp;Preview</source>
            <translation>&amp;Vorschau</translation>
        </message>
        <message>
            <source>Clean the middle of the current view (takes seconds)</source>
            <translation>Die Mitte des aktuellen Kartenausschnitts bereinigen (dauert Sekunden)</translation>
        </message>
        <message>
            <source>&amp;Run</source>
            <translation>Sta&amp;rten</translation>
        </message>
        <message>
            <source>I&amp;nspect…</source>
            <translation>U&amp;ntersuchen …</translation>
        </message>
        <message>
            <source>Show what is found in the chosen layers and what a run will assume</source>
            <translation>Zeigen, was in den gewählten Layern gefunden wird und was ein Lauf annimmt</translation>
        </message>
        <message>
            <source>Clean</source>
            <translation>Bereinigen</translation>
        </message>
        <message>
            <source>Find Sentinel-2, its radar and its other dates in a catalogue</source>
            <translation>Sentinel-2, sein Radar und seine anderen Zeitpunkte in einem Katalog suchen</translation>
        </message>
        <message>
            <source>Starting…</source>
            <translation>Wird gestartet …</translation>
        </message>
        <message>
            <source>Remove clouds, classify, explain</source>
            <translation>Wolken entfernen, klassifizieren, erklären</translation>
        </message>
        <message>
            <source>&amp;Sentinel-2</source>
            <translation>&amp;Sentinel-2</translation>
        </message>
        <message>
            <source>Sentinel-&amp;1</source>
            <translation>Sentinel-&amp;1</translation>
        </message>
        <message>
            <source>Sentinel-1 &amp;VH</source>
            <translation>Sentinel-1 V&amp;H</translation>
        </message>
        <message>
            <source>Cloud &amp;mask</source>
            <translation>&amp;Wolkenmaske</translation>
        </message>
        <message>
            <source>Cloud &amp;detector</source>
            <translation>Wolkende&amp;tektor</translation>
        </message>
        <message>
            <source>M&amp;odel</source>
            <translation>M&amp;odell</translation>
        </message>
        <message>
            <source>C&amp;lassifier</source>
            <translation>K&amp;lassifikator</translation>
        </message>
        <message>
            <source>&amp;Extent</source>
            <translation>Aus&amp;dehnung</translation>
        </message>
        <message>
            <source>Load a Sentinel-2 scene and choose it above.</source>
            <translation>Laden Sie eine Sentinel-2-Szene und wählen Sie sie oben aus.</translation>
        </message>
        <message>
            <source>Preview {time}: {scene}</source>
            <translation>Vorschau {time}: {scene}</translation>
        </message>
        <message>
            <source>The cloud mask is used as it is.</source>
            <translation>Die Wolkenmaske wird unverändert verwendet.</translation>
        </message>
        <message>
            <source>Done.</source>
            <translation>Fertig.</translation>
        </message>
        <message>
            <source>Done: {share} % of the preview was cloudy.</source>
            <translation>Fertig: {share} % der Vorschau waren bewölkt.</translation>
        </message>
        <message>
            <source>Done: {share} % of the scene was cloudy.</source>
            <translation>Fertig: {share} % der Szene waren bewölkt.</translation>
        </message>
        <message>
            <source>The run failed. See the Processing log.</source>
            <translation>Der Lauf ist fehlgeschlagen. Siehe das Protokoll der Verarbeitung.</translation>
        </message>
        <message>
            <source>{share} % lay in shadow.</source>
            <translation>{share} % lagen im Schatten.</translation>
        </message>
        <message>
            <source>Sentinel-2</source>
            <translation>Sentinel-2</translation>
        </message>
        <message>
            <source>Acquired</source>
            <translation>Aufgenommen</translation>
        </message>
        <message>
            <source>Bands</source>
            <translation>Bänder</translation>
        </message>
        <message>
            <source>Resampled bands</source>
            <translation>Umgerechnete Bänder</translation>
        </message>
        <message>
            <source>Numbers</source>
            <translation>Zahlen</translation>
        </message>
        <message>
            <source>Offset</source>
            <translation>Offset</translation>
        </message>
        <message>
            <source>Reflectance</source>
            <translation>Reflexionsgrad</translation>
        </message>
        <message>
            <source>Without data</source>
            <translation>Ohne Daten</translation>
        </message>
        <message>
            <source>Grid</source>
            <translation>Gitter</translation>
        </message>
        <message>
            <source>Pixel size</source>
            <translation>Pixelgröße</translation>
        </message>
        <message>
            <source>Bounds</source>
            <translation>Grenzen</translation>
        </message>
        <message>
            <source>Extent</source>
            <translation>Ausdehnung</translation>
        </message>
        <message>
            <source>Sentinel-1</source>
            <translation>Sentinel-1</translation>
        </message>
        <message>
            <source>Unit of Sentinel-1</source>
            <translation>Einheit von Sentinel-1</translation>
        </message>
        <message>
            <source>Sentinel-1 acquired</source>
            <translation>Sentinel-1 aufgenommen</translation>
        </message>
        <message>
            <source>Sentinel-1 covers</source>
            <translation>Sentinel-1 bedeckt</translation>
        </message>
        <message>
            <source>The mask marks</source>
            <translation>Die Maske markiert</translation>
        </message>
        <message>
            <source>Other date</source>
            <translation>Anderer Zeitpunkt</translation>
        </message>
        <message>
            <source>What a run says:</source>
            <translation>Was ein Lauf meldet:</translation>
        </message>
        <message>
            <source>Inspection of {scene}</source>
            <translation>Untersuchung von {scene}</translation>
        </message>
        <message>
            <source>seen, confident</source>
            <translation>gesehen, sicher</translation>
        </message>
        <message>
            <source>seen, unsure</source>
            <translation>gesehen, unsicher</translation>
        </message>
        <message>
            <source>reconstructed, confident</source>
            <translation>rekonstruiert, sicher</translation>
        </message>
        <message>
            <source>reconstructed, unsure</source>
            <translation>rekonstruiert, unsicher</translation>
        </message>
        <message>
            <source>unchanged</source>
            <translation>unverändert</translation>
        </message>
        <message>
            <source>changed by cleaning</source>
            <translation>durch Bereinigung geändert</translation>
        </message>
        <message>
            <source>clear</source>
            <translation>wolkenfrei</translation>
        </message>
        <message>
            <source>thick cloud</source>
            <translation>dichte Wolke</translation>
        </message>
        <message>
            <source>thin cloud</source>
            <translation>dünne Wolke</translation>
        </message>
        <message>
            <source>shadow</source>
            <translation>Schatten</translation>
        </message>
        <message>
            <source>observed</source>
            <translation>beobachtet</translation>
        </message>
        <message>
            <source>network</source>
            <translation>Netz</translation>
        </message>
        <message>
            <source>clear pixels around</source>
            <translation>klare Pixel ringsum</translation>
        </message>
        <message>
            <source>no change</source>
            <translation>keine Änderung</translation>
        </message>
        <message>
            <source>changed, as observed</source>
            <translation>geändert, wie beobachtet</translation>
        </message>
        <message>
            <source>changed, according to radar</source>
            <translation>geändert, laut Radar</translation>
        </message>
        <message>
            <source>not known</source>
            <translation>nicht bekannt</translation>
        </message>
        <message>
            <source>{kind} (share {share}, confidence {confidence})</source>
            <translation>{kind} (Anteil {share}, Konfidenz {confidence})</translation>
        </message>
        <message>
            <source>{folder} cannot be written to: {reason}. Choose another output folder.</source>
            <translation>In {folder} kann nicht geschrieben werden: {reason}. Wählen Sie einen anderen Ausgabeordner.</translation>
        </message>
        <message>
            <source>{path} cannot be written: {reason}. Close the programs that use it, or choose another name.</source>
            <translation>{path} kann nicht geschrieben werden: {reason}. Schließen Sie die Programme, die die Datei benutzen, oder wählen Sie einen anderen Namen.</translation>
        </message>
        <message>
            <source>The polygon layer "{name}" has no coordinate reference system. Set it in the layer's properties.</source>
            <translation>Der Polygonlayer „{name}“ hat kein Koordinatenreferenzsystem. Legen Sie es in den Eigenschaften des Layers fest.</translation>
        </message>
        <message>
            <source>The layer "{name}" has no polygons. Select some, or untick "Selected features only".</source>
            <translation>Der Layer „{name}“ hat keine Polygone. Wählen Sie welche aus, oder entfernen Sie das Häkchen bei „Nur gewählte Objekte“.</translation>
        </message>
        <message>
            <source>The polygons of "{name}" cannot be transformed to the scene: {reason}.</source>
            <translation>Die Polygone von „{name}“ lassen sich nicht in das Koordinatensystem der Szene umrechnen: {reason}.</translation>
        </message>
        <message>
            <source>True colour</source>
            <translation>Echtfarben</translation>
        </message>
        <message>
            <source>False colour (near infrared, red, green)</source>
            <translation>Falschfarben (nahes Infrarot, Rot, Grün)</translation>
        </message>
        <message>
            <source>{scene}: after</source>
            <translation>{scene}: nachher</translation>
        </message>
        <message>
            <source>True colour, stretched like the cleaned scene</source>
            <translation>Echtfarben, gestreckt wie die bereinigte Szene</translation>
        </message>
        <message>
            <source>{scene}: before</source>
            <translation>{scene}: vorher</translation>
        </message>
        <message>
            <source>{address} is no address of a dask scheduler. Write tcp://host:8786, tls://host:8786 or host:8786.</source>
            <translation>{address} ist keine Adresse eines Dask-Schedulers. Schreiben Sie tcp://host:8786, tls://host:8786 oder host:8786.</translation>
        </message>
        <message>
            <source>Install the backend with Plugins &gt; Sunbreak &gt; Backend, or set an interpreter that has it in Settings &gt; Options &gt; Processing &gt; Providers &gt; Sunbreak, or in the environment variable SUNBREAK_PYTHON.</source>
            <translation>Installieren Sie das Backend mit Erweiterungen &gt; Sunbreak &gt; Backend, oder geben Sie einen Interpreter an, der es hat: unter Einstellungen &gt; Optionen &gt; Verarbeitung &gt; Anbieter &gt; Sunbreak oder in der Umgebungsvariablen SUNBREAK_PYTHON.</translation>
        </message>
        <message>
            <source>Python interpreter of the backend</source>
            <translation>Python-Interpreter des Backends</translation>
        </message>
        <message>
            <source>Keep the backend running for previews</source>
            <translation>Backend für Vorschauen weiterlaufen lassen</translation>
        </message>
        <message>
            <source>Dask scheduler (series, many scenes)</source>
            <translation>Dask-Scheduler (Serien, viele Szenen)</translation>
        </message>
        <message>
            <source>the Processing options</source>
            <translation>den Verarbeitungsoptionen</translation>
        </message>
        <message>
            <source>the environment variable SUNBREAK_PYTHON</source>
            <translation>der Umgebungsvariablen SUNBREAK_PYTHON</translation>
        </message>
        <message>
            <source>It is set in Settings &gt; Options &gt; Processing &gt; Providers &gt; Sunbreak.</source>
            <translation>Sie ist in Einstellungen &gt; Optionen &gt; Verarbeitung &gt; Anbieter &gt; Sunbreak angegeben.</translation>
        </message>
        <message>
            <source>The Sunbreak backend was not found.</source>
            <translation>Das Sunbreak-Backend wurde nicht gefunden.</translation>
        </message>
        <message>
            <source>The Python that the backend was installed with was removed: {base}.</source>
            <translation>Das Python, mit dem das Backend installiert wurde, wurde entfernt: {base}.</translation>
        </message>
        <message>
            <source>The backend's interpreter from {origin} is not an executable file: {path}.</source>
            <translation>Der Interpreter des Backends aus {origin} ist keine ausführbare Datei: {path}.</translation>
        </message>
        <message>
            <source>Save it as a GeoTIFF (Export &gt; Save As...) and use that file.</source>
            <translation>Speichern Sie ihn als GeoTIFF (Exportieren &gt; Speichern als...) und benutzen Sie diese Datei.</translation>
        </message>
        <message>
            <source>The Sentinel-2 product of the layer "{name}" does not exist: {path}.</source>
            <translation>Das Sentinel-2-Produkt des Layers „{name}“ ist nicht vorhanden: {path}.</translation>
        </message>
        <message>
            <source>The layer "{name}" is not a raster file (data provider: "{provider}").</source>
            <translation>Der Layer „{name}“ ist keine Rasterdatei (Anbieter: „{provider}“).</translation>
        </message>
        <message>
            <source>The layer "{name}" was opened with driver options ({source}), which the backend does not support.</source>
            <translation>Der Layer „{name}“ wurde mit Treiberoptionen geöffnet ({source}), die das Backend nicht unterstützt.</translation>
        </message>
        <message>
            <source>The layer "{name}" is not a single local file: {source}.</source>
            <translation>Der Layer „{name}“ ist keine einzelne lokale Datei: {source}.</translation>
        </message>
    </context>
</TS>
