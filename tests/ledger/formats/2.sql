BEGIN TRANSACTION;
CREATE TABLE aggregations (
	id INTEGER NOT NULL, 
	cell_id INTEGER NOT NULL, 
	node VARCHAR NOT NULL, 
	evaluator VARCHAR NOT NULL, 
	metric VARCHAR NOT NULL, 
	value FLOAT, 
	error TEXT NOT NULL, 
	n INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(cell_id) REFERENCES cells (id)
);
CREATE TABLE anchor_grades (
	run_id VARCHAR NOT NULL, 
	pin VARCHAR NOT NULL, 
	item VARCHAR NOT NULL, 
	anchors VARCHAR NOT NULL, 
	grade FLOAT, 
	judge VARCHAR NOT NULL, 
	error TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (run_id, pin, item), 
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
CREATE TABLE asked (
	cell_id INTEGER NOT NULL, 
	sample_id INTEGER NOT NULL, 
	ordinal INTEGER NOT NULL, 
	PRIMARY KEY (cell_id, sample_id), 
	FOREIGN KEY(cell_id) REFERENCES cells (id), 
	FOREIGN KEY(sample_id) REFERENCES samples (id)
);
INSERT INTO "asked" VALUES(1,1,0);
INSERT INTO "asked" VALUES(1,2,1);
INSERT INTO "asked" VALUES(1,3,2);
INSERT INTO "asked" VALUES(1,4,3);
INSERT INTO "asked" VALUES(1,5,4);
INSERT INTO "asked" VALUES(1,6,5);
INSERT INTO "asked" VALUES(1,7,6);
INSERT INTO "asked" VALUES(1,8,7);
INSERT INTO "asked" VALUES(2,1,0);
INSERT INTO "asked" VALUES(2,2,1);
INSERT INTO "asked" VALUES(2,3,2);
INSERT INTO "asked" VALUES(2,4,3);
INSERT INTO "asked" VALUES(2,5,4);
INSERT INTO "asked" VALUES(2,6,5);
INSERT INTO "asked" VALUES(2,7,6);
INSERT INTO "asked" VALUES(2,8,7);
CREATE TABLE cells (
	id INTEGER NOT NULL, 
	run_id VARCHAR NOT NULL, 
	ordinal INTEGER NOT NULL, 
	model VARCHAR NOT NULL, 
	flow VARCHAR NOT NULL, 
	variant VARCHAR NOT NULL, 
	dataset VARCHAR NOT NULL, 
	signature TEXT NOT NULL, 
	details JSON NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (run_id, ordinal), 
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "cells" VALUES(1,'20261126-173456-small-04ca',0,'one','multiple_choice','terse','own','v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','{"model": "one", "model_config": {"provider": "openai", "parameters": {"temperature": 0}, "prices": {"input": 1.0, "output": 2.0, "currency": "USD"}, "scoring": "text", "in_flight": 32, "timeout": 60.0, "attempts": 1, "endpoint": "http://127.0.0.1:33545/v1", "model": "one", "api_key": null}, "flow": "multiple_choice", "flow_hash": "d311e9b4efee", "evaluators_hash": "8a7f8a013af7", "nodes": ["render", "ask", "extract"], "chosen": {"render": "terse"}, "variant": "terse", "dataset": "own", "dataset_fingerprint": "931dc8369db3", "dataset_source": "own.csv", "dataset_licence": "", "samples": "931dc8369db3", "n": 8, "shots": 0, "priced": true}');
INSERT INTO "cells" VALUES(2,'20261126-173502-small-bd6d',0,'one','multiple_choice','terse','own','v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','{"model": "one", "model_config": {"provider": "openai", "parameters": {"temperature": 0}, "prices": {"input": 1.0, "output": 2.0, "currency": "USD"}, "scoring": "text", "in_flight": 32, "timeout": 60.0, "attempts": 1, "endpoint": "http://127.0.0.1:33545/v1", "model": "one", "api_key": null}, "flow": "multiple_choice", "flow_hash": "d311e9b4efee", "evaluators_hash": "8a7f8a013af7", "nodes": ["render", "ask", "extract"], "chosen": {"render": "terse"}, "variant": "terse", "dataset": "own", "dataset_fingerprint": "931dc8369db3", "dataset_source": "own.csv", "dataset_licence": "", "samples": "931dc8369db3", "n": 8, "shots": 0, "priced": true}');
CREATE TABLE evaluated_lines (
	cell_id INTEGER NOT NULL, 
	sample_id INTEGER NOT NULL, 
	round INTEGER NOT NULL, 
	node VARCHAR NOT NULL, 
	evaluator VARCHAR NOT NULL, 
	inputs JSON NOT NULL, 
	outputs JSON NOT NULL, 
	PRIMARY KEY (cell_id, sample_id, round, node, evaluator), 
	FOREIGN KEY(cell_id) REFERENCES cells (id), 
	FOREIGN KEY(sample_id) REFERENCES samples (id)
);
CREATE TABLE evaluations (
	cell_id INTEGER NOT NULL, 
	sample_id INTEGER NOT NULL, 
	round INTEGER NOT NULL, 
	node VARCHAR NOT NULL, 
	evaluator VARCHAR NOT NULL, 
	metric VARCHAR NOT NULL, 
	value FLOAT, 
	label TEXT NOT NULL, 
	error TEXT NOT NULL, 
	PRIMARY KEY (cell_id, sample_id, round, node, evaluator, metric), 
	FOREIGN KEY(cell_id) REFERENCES cells (id), 
	FOREIGN KEY(sample_id) REFERENCES samples (id)
);
INSERT INTO "evaluations" VALUES(1,6,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(1,6,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(1,7,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(1,7,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(1,1,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(1,1,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(1,1,0,'ask','reply','characters',5.0,'','');
INSERT INTO "evaluations" VALUES(1,1,0,'ask','reply','within',1.0,'','');
INSERT INTO "evaluations" VALUES(1,1,0,'extract','choice','correct',0.0,'','');
INSERT INTO "evaluations" VALUES(1,1,0,'extract','choice','answer',NULL,'B','');
INSERT INTO "evaluations" VALUES(1,2,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(1,2,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(1,2,0,'ask','reply','characters',1.0,'','');
INSERT INTO "evaluations" VALUES(1,2,0,'ask','reply','within',1.0,'','');
INSERT INTO "evaluations" VALUES(1,2,0,'extract','choice','correct',1.0,'','');
INSERT INTO "evaluations" VALUES(1,2,0,'extract','choice','answer',NULL,'B','');
INSERT INTO "evaluations" VALUES(1,3,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(1,3,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(1,3,0,'ask','reply','characters',1.0,'','');
INSERT INTO "evaluations" VALUES(1,3,0,'ask','reply','within',1.0,'','');
INSERT INTO "evaluations" VALUES(1,3,0,'extract','choice','correct',1.0,'','');
INSERT INTO "evaluations" VALUES(1,3,0,'extract','choice','answer',NULL,'C','');
INSERT INTO "evaluations" VALUES(1,4,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(1,4,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(1,4,0,'ask','reply','characters',5.0,'','');
INSERT INTO "evaluations" VALUES(1,4,0,'ask','reply','within',1.0,'','');
INSERT INTO "evaluations" VALUES(1,4,0,'extract','choice','correct',0.0,'','');
INSERT INTO "evaluations" VALUES(1,4,0,'extract','choice','answer',NULL,'A','');
INSERT INTO "evaluations" VALUES(1,5,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(1,5,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(1,5,0,'ask','reply','characters',3.0,'','');
INSERT INTO "evaluations" VALUES(1,5,0,'ask','reply','within',1.0,'','');
INSERT INTO "evaluations" VALUES(1,5,0,'extract','choice','correct',0.0,'','');
INSERT INTO "evaluations" VALUES(1,5,0,'extract','choice','answer',NULL,'','');
INSERT INTO "evaluations" VALUES(1,8,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(1,8,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(1,8,0,'ask','reply','characters',7.0,'','');
INSERT INTO "evaluations" VALUES(1,8,0,'ask','reply','within',1.0,'','');
INSERT INTO "evaluations" VALUES(1,8,0,'extract','choice','correct',0.0,'','');
INSERT INTO "evaluations" VALUES(1,8,0,'extract','choice','answer',NULL,'','');
INSERT INTO "evaluations" VALUES(2,6,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(2,6,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(2,1,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(2,1,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(2,1,0,'ask','reply','characters',1.0,'','');
INSERT INTO "evaluations" VALUES(2,1,0,'ask','reply','within',1.0,'','');
INSERT INTO "evaluations" VALUES(2,1,0,'extract','choice','correct',1.0,'','');
INSERT INTO "evaluations" VALUES(2,1,0,'extract','choice','answer',NULL,'A','');
INSERT INTO "evaluations" VALUES(2,2,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(2,2,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(2,2,0,'ask','reply','characters',1.0,'','');
INSERT INTO "evaluations" VALUES(2,2,0,'ask','reply','within',1.0,'','');
INSERT INTO "evaluations" VALUES(2,2,0,'extract','choice','correct',1.0,'','');
INSERT INTO "evaluations" VALUES(2,2,0,'extract','choice','answer',NULL,'B','');
INSERT INTO "evaluations" VALUES(2,3,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(2,3,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(2,3,0,'ask','reply','characters',1.0,'','');
INSERT INTO "evaluations" VALUES(2,3,0,'ask','reply','within',1.0,'','');
INSERT INTO "evaluations" VALUES(2,3,0,'extract','choice','correct',1.0,'','');
INSERT INTO "evaluations" VALUES(2,3,0,'extract','choice','answer',NULL,'C','');
INSERT INTO "evaluations" VALUES(2,4,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(2,4,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(2,4,0,'ask','reply','characters',1.0,'','');
INSERT INTO "evaluations" VALUES(2,4,0,'ask','reply','within',1.0,'','');
INSERT INTO "evaluations" VALUES(2,4,0,'extract','choice','correct',1.0,'','');
INSERT INTO "evaluations" VALUES(2,4,0,'extract','choice','answer',NULL,'D','');
INSERT INTO "evaluations" VALUES(2,5,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(2,5,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(2,5,0,'ask','reply','characters',3.0,'','');
INSERT INTO "evaluations" VALUES(2,5,0,'ask','reply','within',1.0,'','');
INSERT INTO "evaluations" VALUES(2,5,0,'extract','choice','correct',0.0,'','');
INSERT INTO "evaluations" VALUES(2,5,0,'extract','choice','answer',NULL,'','');
INSERT INTO "evaluations" VALUES(2,7,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(2,7,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(2,7,0,'ask','reply','characters',1.0,'','');
INSERT INTO "evaluations" VALUES(2,7,0,'ask','reply','within',1.0,'','');
INSERT INTO "evaluations" VALUES(2,7,0,'extract','choice','correct',1.0,'','');
INSERT INTO "evaluations" VALUES(2,7,0,'extract','choice','answer',NULL,'C','');
INSERT INTO "evaluations" VALUES(2,8,0,'render','prompt','share',1.0,'','');
INSERT INTO "evaluations" VALUES(2,8,0,'render','prompt','complete',1.0,'','');
INSERT INTO "evaluations" VALUES(2,8,0,'ask','reply','characters',7.0,'','');
INSERT INTO "evaluations" VALUES(2,8,0,'ask','reply','within',1.0,'','');
INSERT INTO "evaluations" VALUES(2,8,0,'extract','choice','correct',0.0,'','');
INSERT INTO "evaluations" VALUES(2,8,0,'extract','choice','answer',NULL,'','');
CREATE TABLE meta (
	"key" VARCHAR NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('version','2');
CREATE TABLE node_outputs (
	cell_id INTEGER NOT NULL, 
	sample_id INTEGER NOT NULL, 
	round INTEGER NOT NULL, 
	node VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	output JSON, 
	seconds FLOAT NOT NULL, 
	error TEXT NOT NULL, 
	PRIMARY KEY (cell_id, sample_id, round, node), 
	FOREIGN KEY(cell_id) REFERENCES cells (id), 
	FOREIGN KEY(sample_id) REFERENCES samples (id)
);
INSERT INTO "node_outputs" VALUES(1,6,0,'render','completed','"문제 5번은?\nA. 가5\nB. 나5\nC. 다5\nD. 라5\n답:\n"',2.2623999029747210443e-05,'');
INSERT INTO "node_outputs" VALUES(1,6,0,'ask','failed','null',0.00507971700062626,'one: HTTP 400 The response was filtered due to the prompt triggering the content management policy.');
INSERT INTO "node_outputs" VALUES(1,7,0,'render','completed','"문제 6번은?\nA. 가6\nB. 나6\nC. 다6\nD. 라6\n답:\n"',1.76860012288671e-05,'');
INSERT INTO "node_outputs" VALUES(1,7,0,'ask','failed','null',7.40264500018383841961e-03,'given up after 1 attempts: one: HTTP 500 boom');
INSERT INTO "node_outputs" VALUES(1,1,0,'render','completed','"문제 0번은?\nA. 가0\nB. 나0\nC. 다0\nD. 라0\n답:\n"',4.35440015280619263648e-05,'');
INSERT INTO "node_outputs" VALUES(1,1,0,'ask','completed','{"text": "정답: B", "finish_reason": "stop", "first_token": null}',9.86217500030761584639e-03,'');
INSERT INTO "node_outputs" VALUES(1,1,0,'extract','completed','{"answer": "B", "rule": "declared/letter"}',2.62615010014997096732e-02,'');
INSERT INTO "node_outputs" VALUES(1,2,0,'render','completed','"문제 1번은?\nA. 가1\nB. 나1\nC. 다1\nD. 라1\n답:\n"',2.95029985863948240876e-05,'');
INSERT INTO "node_outputs" VALUES(1,2,0,'ask','completed','{"text": "B", "finish_reason": "stop", "first_token": null}',3.57739070004754466935e-02,'');
INSERT INTO "node_outputs" VALUES(1,2,0,'extract','completed','{"answer": "B", "rule": "first_line/letter"}',4.52469994343118742108e-05,'');
INSERT INTO "node_outputs" VALUES(1,3,0,'render','completed','"문제 2번은?\nA. 가2\nB. 나2\nC. 다2\nD. 라2\n답:\n"',2.07310004043392837047e-05,'');
INSERT INTO "node_outputs" VALUES(1,3,0,'ask','completed','{"text": "C", "finish_reason": "stop", "first_token": null}',3.57345580014225561171e-02,'');
INSERT INTO "node_outputs" VALUES(1,3,0,'extract','completed','{"answer": "C", "rule": "first_line/letter"}',1.22882000141544267535e-04,'');
INSERT INTO "node_outputs" VALUES(1,4,0,'render','completed','"문제 3번은?\nA. 가3\nB. 나3\nC. 다3\nD. 라3\n답:\n"',1.79359994945116341114e-05,'');
INSERT INTO "node_outputs" VALUES(1,4,0,'ask','completed','{"text": "정답: A", "finish_reason": "stop", "first_token": null}',3.60499469989008503034e-02,'');
INSERT INTO "node_outputs" VALUES(1,4,0,'extract','completed','{"answer": "A", "rule": "declared/letter"}',1.24234000395517796277e-04,'');
INSERT INTO "node_outputs" VALUES(1,5,0,'render','completed','"문제 4번은?\nA. 가4\nB. 나4\nC. 다4\nD. 라4\n답:\n"',1.8386999727226793766e-05,'');
INSERT INTO "node_outputs" VALUES(1,5,0,'ask','completed','{"text": "정답은", "finish_reason": "length", "first_token": null}',3.61264999992272350937e-02,'');
INSERT INTO "node_outputs" VALUES(1,5,0,'extract','completed','{"answer": null, "rule": "none"}',1.30153001009603030979e-04,'');
INSERT INTO "node_outputs" VALUES(1,8,0,'render','completed','"문제 7번은?\nA. 가7\nB. 나7\nC. 다7\nD. 라7\n답:\n"',5.41410008736420422792e-05,'');
INSERT INTO "node_outputs" VALUES(1,8,0,'ask','completed','{"text": "모르겠습니다.", "finish_reason": "stop", "first_token": null}',3.58501299997442401945e-02,'');
INSERT INTO "node_outputs" VALUES(1,8,0,'extract','completed','{"answer": null, "rule": "none"}',8.1001000580727122724e-05,'');
INSERT INTO "node_outputs" VALUES(2,6,0,'render','completed','"문제 5번은?\nA. 가5\nB. 나5\nC. 다5\nD. 라5\n답:\n"',3.02749995171325281262e-05,'');
INSERT INTO "node_outputs" VALUES(2,6,0,'ask','failed','null',3.9274179998756153509e-03,'one: HTTP 400 The response was filtered due to the prompt triggering the content management policy.');
INSERT INTO "node_outputs" VALUES(2,1,0,'render','completed','"문제 0번은?\nA. 가0\nB. 나0\nC. 다0\nD. 라0\n답:\n"',7.11360007699113339185e-05,'');
INSERT INTO "node_outputs" VALUES(2,1,0,'ask','completed','{"text": "A", "finish_reason": "stop", "first_token": null}',7.92980799997167196124e-03,'');
INSERT INTO "node_outputs" VALUES(2,1,0,'extract','completed','{"answer": "A", "rule": "first_line/letter"}',5.73959987377747893333e-05,'');
INSERT INTO "node_outputs" VALUES(2,2,0,'render','completed','"문제 1번은?\nA. 가1\nB. 나1\nC. 다1\nD. 라1\n답:\n"',5.70849988434929400682e-05,'');
INSERT INTO "node_outputs" VALUES(2,2,0,'ask','completed','{"text": "B", "finish_reason": "stop", "first_token": null}',9.26877399979275651276e-03,'');
INSERT INTO "node_outputs" VALUES(2,2,0,'extract','completed','{"answer": "B", "rule": "first_line/letter"}',4.86130011267960071563e-05,'');
INSERT INTO "node_outputs" VALUES(2,3,0,'render','completed','"문제 2번은?\nA. 가2\nB. 나2\nC. 다2\nD. 라2\n답:\n"',3.43609990522963926196e-05,'');
INSERT INTO "node_outputs" VALUES(2,3,0,'ask','completed','{"text": "C", "finish_reason": "stop", "first_token": null}',9.16295699971669819205e-03,'');
INSERT INTO "node_outputs" VALUES(2,3,0,'extract','completed','{"answer": "C", "rule": "first_line/letter"}',2.19330013351282104849e-05,'');
INSERT INTO "node_outputs" VALUES(2,4,0,'render','completed','"문제 3번은?\nA. 가3\nB. 나3\nC. 다3\nD. 라3\n답:\n"',3.15059987769927829504e-05,'');
INSERT INTO "node_outputs" VALUES(2,4,0,'ask','completed','{"text": "D", "finish_reason": "stop", "first_token": null}',9.00587400064978282898e-03,'');
INSERT INTO "node_outputs" VALUES(2,4,0,'extract','completed','{"answer": "D", "rule": "first_line/letter"}',1.78370009962236508727e-05,'');
INSERT INTO "node_outputs" VALUES(2,5,0,'render','completed','"문제 4번은?\nA. 가4\nB. 나4\nC. 다4\nD. 라4\n답:\n"',3.0956000045989640057e-05,'');
INSERT INTO "node_outputs" VALUES(2,5,0,'ask','completed','{"text": "정답은", "finish_reason": "length", "first_token": null}',8.78046000070753507316e-03,'');
INSERT INTO "node_outputs" VALUES(2,5,0,'extract','completed','{"answer": null, "rule": "none"}',2.61644959991826908662e-02,'');
INSERT INTO "node_outputs" VALUES(2,7,0,'render','completed','"문제 6번은?\nA. 가6\nB. 나6\nC. 다6\nD. 라6\n답:\n"',2.95840000035241246223e-05,'');
INSERT INTO "node_outputs" VALUES(2,7,0,'ask','completed','{"text": "C", "finish_reason": "stop", "first_token": null}',3.46699479996459558606e-02,'');
INSERT INTO "node_outputs" VALUES(2,7,0,'extract','completed','{"answer": "C", "rule": "first_line/letter"}',4.68599992018425837159e-05,'');
INSERT INTO "node_outputs" VALUES(2,8,0,'render','completed','"문제 7번은?\nA. 가7\nB. 나7\nC. 다7\nD. 라7\n답:\n"',4.44859997514868155121e-05,'');
INSERT INTO "node_outputs" VALUES(2,8,0,'ask','completed','{"text": "모르겠습니다.", "finish_reason": "stop", "first_token": null}',3.46916100006637861952e-02,'');
INSERT INTO "node_outputs" VALUES(2,8,0,'extract','completed','{"answer": null, "rule": "none"}',1.06597999547375366091e-04,'');
CREATE TABLE outcomes (
	cell_id INTEGER NOT NULL, 
	sample_id INTEGER NOT NULL, 
	round INTEGER NOT NULL, 
	outcome VARCHAR NOT NULL, 
	answer TEXT, 
	correct FLOAT, 
	rule VARCHAR NOT NULL, 
	error TEXT NOT NULL, 
	finish_reason VARCHAR NOT NULL, 
	input_tokens INTEGER, 
	output_tokens INTEGER, 
	cost FLOAT, 
	latency FLOAT, 
	seconds FLOAT NOT NULL, 
	served_model VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	attempts INTEGER NOT NULL, 
	cached BOOLEAN NOT NULL, 
	finished_at DATETIME NOT NULL, 
	PRIMARY KEY (cell_id, sample_id, round), 
	FOREIGN KEY(cell_id) REFERENCES cells (id), 
	FOREIGN KEY(sample_id) REFERENCES samples (id)
);
INSERT INTO "outcomes" VALUES(1,6,0,'filtered',NULL,NULL,'','one: HTTP 400 The response was filtered due to the prompt triggering the content management policy.','',0,0,0.0,NULL,5.30646399965917225927e-03,'','',0,0,'2026-11-26 17:34:58.221604');
INSERT INTO "outcomes" VALUES(1,7,0,'failed',NULL,NULL,'','given up after 1 attempts: one: HTTP 500 boom','',0,0,0.0,NULL,7.53698499829624779522e-03,'','',0,0,'2026-11-26 17:34:58.224098');
INSERT INTO "outcomes" VALUES(1,1,0,'answered','B',0.0,'declared/letter','','stop',20,1,2.2e-05,9.49709300039103254675e-03,3.65330330005235737189e-02,'one','fp_1',1,0,'2026-11-26 17:34:58.250801');
INSERT INTO "outcomes" VALUES(1,2,0,'answered','B',1.0,'first_line/letter','','stop',20,1,2.2e-05,3.56366129999514669179e-02,3.5997267999846371822e-02,'one','fp_1',1,0,'2026-11-26 17:34:58.251213');
INSERT INTO "outcomes" VALUES(1,3,0,'answered','C',1.0,'first_line/letter','','stop',20,1,2.2e-05,0.0356617310008005,3.60036069996567675843e-02,'one','fp_1',1,0,'2026-11-26 17:34:58.251512');
INSERT INTO "outcomes" VALUES(1,4,0,'answered','A',0.0,'declared/letter','','stop',20,1,2.2e-05,3.59476840003480901941e-02,3.63232020008581457659e-02,'one','fp_1',1,0,'2026-11-26 17:34:58.252077');
INSERT INTO "outcomes" VALUES(1,5,0,'truncated',NULL,0.0,'none','','length',20,1,2.2e-05,3.60541520003607729449e-02,3.6389150000104564242e-02,'one','fp_1',1,0,'2026-11-26 17:34:58.252389');
INSERT INTO "outcomes" VALUES(1,8,0,'unparsed',NULL,0.0,'none','','stop',NULL,NULL,NULL,3.54920079989824444055e-02,0.0361088829995424,'one','fp_1',1,0,'2026-11-26 17:34:58.252900');
INSERT INTO "outcomes" VALUES(2,6,0,'filtered',NULL,NULL,'','one: HTTP 400 The response was filtered due to the prompt triggering the content management policy.','',0,0,0.0,NULL,0.00425608599834959,'','',0,0,'2026-11-26 17:35:03.849459');
INSERT INTO "outcomes" VALUES(2,1,0,'answered','A',1.0,'first_line/letter','','stop',20,1,2.2e-05,7.45998999991570599377e-03,0.00854609099951631,'one','fp_1',1,0,'2026-11-26 17:35:03.850672');
INSERT INTO "outcomes" VALUES(2,2,0,'answered','B',1.0,'first_line/letter','','stop',20,1,2.2e-05,0.00908396900013031,9.66414100003021303564e-03,'one','fp_1',1,0,'2026-11-26 17:35:03.853081');
INSERT INTO "outcomes" VALUES(2,3,0,'answered','C',1.0,'first_line/letter','','stop',20,1,2.2e-05,9.04090599942719563841e-03,9.39768500029458664357e-03,'one','fp_1',1,0,'2026-11-26 17:35:03.853358');
INSERT INTO "outcomes" VALUES(2,4,0,'answered','D',1.0,'first_line/letter','','stop',20,1,2.2e-05,8.89282600110163912177e-03,9.21767899853875860571e-03,'one','fp_1',1,0,'2026-11-26 17:35:03.853580');
INSERT INTO "outcomes" VALUES(2,5,0,'truncated',NULL,0.0,'none','','length',20,1,2.2e-05,8.6776870011817663908e-03,3.52879340007348218932e-02,'one','fp_1',1,0,'2026-11-26 17:35:03.880059');
INSERT INTO "outcomes" VALUES(2,7,0,'answered','C',1.0,'first_line/letter','','stop',20,1,2.2e-05,3.45223580006859265267e-02,3.48888320004334673285e-02,'one','fp_1',1,0,'2026-11-26 17:35:03.880458');
INSERT INTO "outcomes" VALUES(2,8,0,'unparsed',NULL,0.0,'none','','stop',NULL,NULL,NULL,3.43496419991424772888e-02,3.4998795999854337424e-02,'one','fp_1',1,0,'2026-11-26 17:35:03.880981');
CREATE TABLE promotion_evidence (
	promotion_id INTEGER NOT NULL, 
	details JSON NOT NULL, 
	PRIMARY KEY (promotion_id), 
	FOREIGN KEY(promotion_id) REFERENCES promotions (id)
);
CREATE TABLE promotions (
	id INTEGER NOT NULL, 
	slot VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	action VARCHAR NOT NULL, 
	run_id VARCHAR NOT NULL, 
	reason TEXT NOT NULL, 
	who VARCHAR NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE replies (
	"key" VARCHAR NOT NULL, 
	reply JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE runs (
	id VARCHAR NOT NULL, 
	suite VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	reason TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	finished_at DATETIME, 
	"plan" JSON NOT NULL, 
	plan_hash VARCHAR NOT NULL, 
	seed INTEGER NOT NULL, 
	version VARCHAR NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES('20261126-173456-small-04ca','small','complete','','2026-11-26 17:34:56.816431','2026-11-26 17:34:58.284719','{"suite": "small", "config": {"inputs": {}, "defaults": [], "models": ["one"], "datasets": ["own"], "flow": "multiple_choice", "variants": ["terse"], "retriever": null, "few_shot": 5, "limit": null, "seed": 0, "engine": "native", "node_timeout": 900.0, "cache": false, "max_cost": null, "max_minutes": null}, "cells": [{"model": "one", "model_config": {"provider": "openai", "parameters": {"temperature": 0}, "prices": {"input": 1.0, "output": 2.0, "currency": "USD"}, "scoring": "text", "in_flight": 32, "timeout": 60.0, "attempts": 1, "endpoint": "http://127.0.0.1:33545/v1", "model": "one", "api_key": null}, "flow": "multiple_choice", "flow_hash": "d311e9b4efee", "evaluators_hash": "8a7f8a013af7", "nodes": ["render", "ask", "extract"], "chosen": {"render": "terse"}, "variant": "terse", "dataset": "own", "dataset_fingerprint": "931dc8369db3", "dataset_source": "own.csv", "dataset_licence": "", "samples": "931dc8369db3", "n": 8, "shots": 0, "priced": true}]}','f97650ff00b18c21',0,'0.1.0');
INSERT INTO "runs" VALUES('20261126-173502-small-bd6d','small','complete','','2026-11-26 17:35:02.455316','2026-11-26 17:35:03.900887','{"suite": "small", "config": {"inputs": {}, "defaults": [], "models": ["one"], "datasets": ["own"], "flow": "multiple_choice", "variants": ["terse"], "retriever": null, "few_shot": 5, "limit": null, "seed": 0, "engine": "native", "node_timeout": 900.0, "cache": false, "max_cost": null, "max_minutes": null}, "cells": [{"model": "one", "model_config": {"provider": "openai", "parameters": {"temperature": 0}, "prices": {"input": 1.0, "output": 2.0, "currency": "USD"}, "scoring": "text", "in_flight": 32, "timeout": 60.0, "attempts": 1, "endpoint": "http://127.0.0.1:33545/v1", "model": "one", "api_key": null}, "flow": "multiple_choice", "flow_hash": "d311e9b4efee", "evaluators_hash": "8a7f8a013af7", "nodes": ["render", "ask", "extract"], "chosen": {"render": "terse"}, "variant": "terse", "dataset": "own", "dataset_fingerprint": "931dc8369db3", "dataset_source": "own.csv", "dataset_licence": "", "samples": "931dc8369db3", "n": 8, "shots": 0, "priced": true}]}','f97650ff00b18c21',0,'0.1.0');
CREATE TABLE samples (
	id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	dataset VARCHAR NOT NULL, 
	split VARCHAR NOT NULL, 
	subset VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	upstream_id VARCHAR NOT NULL, 
	category VARCHAR NOT NULL, 
	super_category VARCHAR NOT NULL, 
	cluster VARCHAR NOT NULL, 
	data JSON NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE ("key")
);
INSERT INTO "samples" VALUES(1,'csv/test/own/0/bf9d39cbcb02','csv','test','own',0,'own:0','역사','','','{"question": "문제 0번은?", "choices": ["가0", "나0", "다0", "라0"], "answer": "A"}');
INSERT INTO "samples" VALUES(2,'csv/test/own/1/3b5f6eb3289e','csv','test','own',1,'own:1','수학','','','{"question": "문제 1번은?", "choices": ["가1", "나1", "다1", "라1"], "answer": "B"}');
INSERT INTO "samples" VALUES(3,'csv/test/own/2/5c971cf6b70e','csv','test','own',2,'own:2','역사','','','{"question": "문제 2번은?", "choices": ["가2", "나2", "다2", "라2"], "answer": "C"}');
INSERT INTO "samples" VALUES(4,'csv/test/own/3/926f75125e11','csv','test','own',3,'own:3','수학','','','{"question": "문제 3번은?", "choices": ["가3", "나3", "다3", "라3"], "answer": "D"}');
INSERT INTO "samples" VALUES(5,'csv/test/own/4/c8a7fb958ef4','csv','test','own',4,'own:4','역사','','','{"question": "문제 4번은?", "choices": ["가4", "나4", "다4", "라4"], "answer": "A"}');
INSERT INTO "samples" VALUES(6,'csv/test/own/5/313696904a7b','csv','test','own',5,'own:5','수학','','','{"question": "문제 5번은?", "choices": ["가5", "나5", "다5", "라5"], "answer": "B"}');
INSERT INTO "samples" VALUES(7,'csv/test/own/6/5c1c7ba2701a','csv','test','own',6,'own:6','역사','','','{"question": "문제 6번은?", "choices": ["가6", "나6", "다6", "라6"], "answer": "C"}');
INSERT INTO "samples" VALUES(8,'csv/test/own/7/fbfc34477fb2','csv','test','own',7,'own:7','수학','','','{"question": "문제 7번은?", "choices": ["가7", "나7", "다7", "라7"], "answer": "D"}');
CREATE TABLE scores (
	id INTEGER NOT NULL, 
	cell_id INTEGER NOT NULL, 
	signature TEXT NOT NULL, 
	metric VARCHAR NOT NULL, 
	slice_kind VARCHAR NOT NULL, 
	slice VARCHAR NOT NULL, 
	value FLOAT, 
	low FLOAT, 
	high FLOAT, 
	n INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(cell_id) REFERENCES cells (id)
);
INSERT INTO "scores" VALUES(1,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy','all','',0.25,0.071479212752109,5.90724569689831113805e-01,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(2,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_if_right','all','',0.75,4.09275430310168830683e-01,9.28520787247890888593e-01,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(3,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_macro','all','',0.25,4.43484914213890801804e-02,0.70538826516667,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(4,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_answered','all','',0.5,1.50038989152149471184e-01,8.49961010847850584326e-01,4,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(5,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.answered','all','',0.5,2.15216062213877568076e-01,7.84783937786122431923e-01,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(6,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.unparsed','all','',0.125,2.24174914500566702102e-02,4.70888182212853501074e-01,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(7,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.truncated','all','',0.125,2.24174914500566702102e-02,4.70888182212853501074e-01,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(8,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.filtered','all','',0.125,2.24174914500566702102e-02,4.70888182212853501074e-01,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(9,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.failed','all','',0.125,2.24174914500566702102e-02,4.70888182212853501074e-01,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(10,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.missing','all','',0.0,0.0,3.24407564883880228379e-01,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(11,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','latency_p50','all','',3.56491720003759837709e-02,9.49709300039103254675e-03,3.60541520003607729449e-02,6,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(12,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','latency_p95','all','',0.0360275350003576,NULL,NULL,6,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(13,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','cost','all','',NULL,NULL,NULL,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(14,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','cost_per_sample','all','',NULL,NULL,NULL,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(15,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','input_tokens','all','',NULL,NULL,NULL,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(16,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','output_tokens','all','',NULL,NULL,NULL,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(17,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy','category','수학',0.25,4.55872608097005471705e-02,6.99358157417598103045e-01,4,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(18,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_if_right','category','수학',0.75,3.00641842582401841443e-01,9.54412739190299452829e-01,4,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(19,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy','category','역사',0.25,4.55872608097005471705e-02,6.99358157417598103045e-01,4,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(20,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_if_right','category','역사',0.75,3.00641842582401841443e-01,9.54412739190299452829e-01,4,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(21,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','ask.reply.characters','all','',3.66666666666666651863e+00,1.12480731727978255918e+00,6.20852601605355047809e+00,6,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(22,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','ask.reply.within','all','',1.0,6.09665712097834600058e-01,1.0,6,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(23,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','extract.choice.correct','all','',3.33333333333333314829e-01,9.67714111057804138305e-02,0.700006684861608,6,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(24,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','render.prompt.complete','all','',1.0,6.7559243511611977162e-01,1.0,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(25,1,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','render.prompt.share','all','',1.0,6.7559243511611977162e-01,1.0,8,'2026-11-26 17:34:59.638283');
INSERT INTO "scores" VALUES(26,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy','all','',0.625,3.0574239460262736534e-01,8.63155714176402577564e-01,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(27,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_if_right','all','',1.0,6.7559243511611977162e-01,1.0,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(28,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_macro','all','',0.625,2.21958062364891184348e-01,9.06864972609133346281e-01,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(29,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_answered','all','',1.0,5.6551753521682512904e-01,1.0,5,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(30,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.answered','all','',0.625,3.0574239460262736534e-01,8.63155714176402577564e-01,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(31,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.unparsed','all','',0.125,2.24174914500566702102e-02,4.70888182212853501074e-01,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(32,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.truncated','all','',0.125,2.24174914500566702102e-02,4.70888182212853501074e-01,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(33,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.filtered','all','',0.125,2.24174914500566702102e-02,4.70888182212853501074e-01,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(34,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.failed','all','',0.0,0.0,3.24407564883880228379e-01,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(35,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.missing','all','',0.0,0.0,3.24407564883880228379e-01,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(36,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','latency_p50','all','',9.04090599942719563841e-03,7.45998999991570599377e-03,3.45223580006859265267e-02,7,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(37,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','latency_p95','all','',3.44705432002228931431e-02,NULL,NULL,7,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(38,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','cost','all','',NULL,NULL,NULL,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(39,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','cost_per_sample','all','',NULL,NULL,NULL,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(40,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','input_tokens','all','',NULL,NULL,NULL,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(41,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','output_tokens','all','',NULL,NULL,NULL,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(42,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy','category','수학',0.5,1.50038989152149471184e-01,8.49961010847850584326e-01,4,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(43,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_if_right','category','수학',1.0,5.10109163545402699568e-01,1.0,4,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(44,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy','category','역사',0.75,3.00641842582401841443e-01,9.54412739190299452829e-01,4,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(45,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_if_right','category','역사',1.0,5.10109163545402699568e-01,1.0,4,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(46,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','ask.reply.characters','all','',2.1428571428571427937e+00,4.55041275900178732172e-02,4.24021015812426771418e+00,7,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(47,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','ask.reply.within','all','',1.0,6.45669564933312623011e-01,1.0,7,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(48,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','extract.choice.correct','all','',7.14285714285714301574e-01,3.58934451832619350053e-01,9.17781075995943274037e-01,7,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(49,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','render.prompt.complete','all','',1.0,6.7559243511611977162e-01,1.0,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(50,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','render.prompt.share','all','',1.0,6.7559243511611977162e-01,1.0,8,'2026-11-26 17:35:05.131064');
INSERT INTO "scores" VALUES(51,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy','all','',0.625,3.0574239460262736534e-01,8.63155714176402577564e-01,8,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(52,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_if_right','all','',1.0,6.7559243511611977162e-01,1.0,8,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(53,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_macro','all','',0.625,2.21958062364891184348e-01,9.06864972609133346281e-01,8,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(54,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_answered','all','',1.0,5.6551753521682512904e-01,1.0,5,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(55,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.answered','all','',0.625,3.0574239460262736534e-01,8.63155714176402577564e-01,8,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(56,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.unparsed','all','',0.125,2.24174914500566702102e-02,4.70888182212853501074e-01,8,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(57,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.truncated','all','',0.125,2.24174914500566702102e-02,4.70888182212853501074e-01,8,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(58,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.filtered','all','',0.125,2.24174914500566702102e-02,4.70888182212853501074e-01,8,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(59,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.failed','all','',0.0,0.0,3.24407564883880228379e-01,8,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(60,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','share.missing','all','',0.0,0.0,3.24407564883880228379e-01,8,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(61,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','latency_p50','all','',9.04090599942719563841e-03,7.45998999991570599377e-03,3.45223580006859265267e-02,7,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(62,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','latency_p95','all','',3.44705432002228931431e-02,NULL,NULL,7,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(63,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','cost','all','',NULL,NULL,NULL,8,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(64,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','cost_per_sample','all','',NULL,NULL,NULL,8,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(65,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','input_tokens','all','',NULL,NULL,NULL,8,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(66,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','output_tokens','all','',NULL,NULL,NULL,8,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(67,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy','category','수학',0.5,1.50038989152149471184e-01,8.49961010847850584326e-01,4,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(68,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_if_right','category','수학',1.0,5.10109163545402699568e-01,1.0,4,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(69,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy','category','역사',0.75,3.00641842582401841443e-01,9.54412739190299452829e-01,4,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(70,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','accuracy_if_right','category','역사',1.0,5.10109163545402699568e-01,1.0,4,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(71,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','ask.reply.characters','all','',2.1428571428571427937e+00,4.55041275900178732172e-02,4.24021015812426771418e+00,7,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(72,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','ask.reply.within','all','',1.0,6.45669564933312623011e-01,1.0,7,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(73,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','extract.choice.correct','all','',7.14285714285714301574e-01,3.58934451832619350053e-01,9.17781075995943274037e-01,7,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(74,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','render.prompt.complete','all','',1.0,6.7559243511611977162e-01,1.0,8,'2026-11-26 17:35:18.829667');
INSERT INTO "scores" VALUES(75,2,'v1|dataset:own:931dc8|n:8|flow:multiple_choice:d311e9|variant:terse|prompt:5ea839|shots:0|scoring:text|extract:ko-v1:f0ab7f|denominator:asked|averaging:micro','render.prompt.share','all','',1.0,6.7559243511611977162e-01,1.0,8,'2026-11-26 17:35:18.829667');
CREATE TABLE trained_models (
	name VARCHAR NOT NULL, 
	config JSON NOT NULL, 
	lineage JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE verdicts (
	id INTEGER NOT NULL, 
	run_id VARCHAR NOT NULL, 
	gate VARCHAR NOT NULL, 
	verdict VARCHAR NOT NULL, 
	details JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "verdicts" VALUES(1,'20261126-173502-small-bd6d','small','pass','{"gate": "small", "run": "20261126-173502-small-bd6d", "verdict": "pass", "rules": [{"rule": "accuracy >= 0.05", "cell": "one · terse · own", "verdict": "pass", "reason": "shown (binomial-exact): p = 1.5e-05, at least 0.2892 with 95% confidence; detectable: 0.412; 3 of 8 samples have no answer to judge, whatever they were", "value": 0.625, "low": 0.30574239460262737, "high": 0.8631557141764026, "n": 8, "model": "one", "p_pass": 1.5404882812500003e-05, "p_fail": 1.0, "p_fail_corrected": 1.0, "detectable": 0.4120984131379253, "needed": null, "baseline": "", "failing": []}, {"rule": "accuracy no more than 0.9 below previous", "cell": "one · terse · own", "verdict": "pass", "reason": "shown (tango-score): p = 5.9e-20, at least -0.1521 with 95% confidence; detectable: 0.597; 4 of 8 samples have no answer to judge, whatever they were; compared with one of run 20261126-173456-small-04ca", "value": 0.375, "low": -0.07106040171533527, "high": 0.6942576054218098, "n": 8, "model": "one", "p_pass": 5.930295406182513e-20, "p_fail": 1.0, "p_fail_corrected": 1.0, "detectable": 0.5974464416503906, "needed": null, "baseline": "20261126-173456-small-04ca", "failing": []}], "runs": {"20261126-173502-small-bd6d": "0627463def40a979ef98761acddec80c0ac35b6264998128a389eda4030e8e83", "20261126-173456-small-04ca": "733629689e800cdd571c1dd8068707774b71f44d89b5d1c84d00f1a2cecd5bb1"}, "rules_hash": "cb3449da0f67af28", "champion": null}','2026-11-26 17:35:12.522907');
CREATE INDEX ix_promotions_slot ON promotions (slot);
CREATE INDEX anchor_grades_by_pin ON anchor_grades (pin, anchors);
CREATE INDEX verdicts_by_run ON verdicts (run_id);
CREATE INDEX aggregations_by_cell ON aggregations (cell_id, at);
CREATE INDEX scores_by_cell ON scores (cell_id, metric, slice_kind);
COMMIT;
